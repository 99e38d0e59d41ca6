"""What is answered where nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.settings_error import ForbiddenToChange, InvalidSettings, NothingToAuthorize, NotThere, Outdated

from functions.settings.problems import problem

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from tocsin.errors import TocsinError


def refusal(error: TocsinError) -> Response[str]:
    """The problem that `error` is to the caller: alike for what is missing and for what is not the caller's."""
    match error:
        case NotThere():
            return problem(404, "There is no such project or mail account, or it is not yours to see.")
        case ForbiddenToChange():
            return problem(403, "You may read this project, not change it.", remedy="Ask an admin of the project.")
        case InvalidSettings(problems=problems):
            errors = [{"field": one.field, "problem": one.text} for one in problems]
            return problem(422, "Some fields cannot be saved as they are.", errors=errors)
        case Outdated():
            return problem(412, "It was changed meanwhile.", remedy="Read it again, and repeat with its new ETag.")
        case NothingToAuthorize():
            return problem(
                409,
                "This mail account does not log in by a grant that somebody gives in a browser.",
                remedy="Set auth.oauth2.grant to authorization_code, or use the account as it is.",
            )
        case _:
            return problem(503, "A store is busy; nothing was saved.", headers={"Retry-After": "5"})
