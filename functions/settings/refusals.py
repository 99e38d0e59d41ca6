"""What is answered where nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError
from tocsin.errors import SecretUnavailable, ServiceBusy, TransientError
from tocsin.model.settings_error import (
    EndNotKnown,
    ForbiddenToChange,
    InUse,
    InvalidSettings,
    KeyInUse,
    KeyOfAnotherRequest,
    NothingToAuthorize,
    NotThere,
    NoVerifiedAddress,
    Outdated,
    VerifiedTooOften,
    VersionNotNamed,
)
from tocsin.model.step_report import NotVerified

from functions.settings.door import NotAdmitted
from functions.settings.problems import FieldProblem, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Response

REFUSALS: list[type[Exception]] = [
    EndNotKnown,
    ForbiddenToChange,
    InUse,
    InvalidSettings,
    KeyInUse,
    KeyOfAnotherRequest,
    NotAdmitted,
    NothingToAuthorize,
    NotThere,
    NotVerified,
    NoVerifiedAddress,
    Outdated,
    RequestValidationError,
    ResponseValidationError,
    SecretUnavailable,
    TransientError,
    VerifiedTooOften,
    VersionNotNamed,
]
"""All that `refusal` knows. What it does not know fails the function, and operators hear of it."""

_ELSE: Mapping[type[Exception], tuple[int, str, str | None]] = {
    NotThere: (404, "There is no such thing here, or it is not yours to see.", None),
    ForbiddenToChange: (403, "You may read this, not change it.", "Ask an admin for the permission."),
    Outdated: (412, "It was changed meanwhile.", "Read it again, and repeat with its new ETag."),
    VersionNotNamed: (
        428,
        "This replaces all that is there, and does not say what that is.",
        "Read it first, and send its ETag as If-Match; If-Match: * replaces whatever is there.",
    ),
    KeyOfAnotherRequest: (422, "This Idempotency-Key was used for another request.", "Send a new key."),
    KeyInUse: (409, "The request with this Idempotency-Key is being carried out.", "Repeat it in a few seconds."),
    EndNotKnown: (
        409,
        "The request with this Idempotency-Key was begun, and it is not known how it ended.",
        "Read what is there, and send what is missing with a new key.",
    ),
    NothingToAuthorize: (
        409,
        "This mail account does not log in by a grant that somebody gives in a browser.",
        "Set auth.oauth2.grant to authorization_code, or use the account as it is.",
    ),
    NoVerifiedAddress: (
        409,
        "Your access token does not say which verified e-mail address is yours, so no test message can go there.",
        "Have the issuer put the claims email and email_verified into access tokens, or leave out test_to.",
    ),
    SecretUnavailable: (
        409,
        "The stored secret cannot be read, so nothing of it can be kept.",
        "Send all secrets of the account anew, or delete the account and make it again.",
    ),
    VerifiedTooOften: (429, "The project has relays asked too often.", "Try it again in a minute."),
    ResponseValidationError: (500, "The answer is not what it should be; it was not sent.", None),
}


_HEADERS: Mapping[int, Mapping[str, str]] = {429: {"Retry-After": "60"}}


def refusal(error: Exception) -> Response[str]:
    """The problem that `error` is to the caller: alike for what is missing and for what is not the caller's."""
    match error:
        case InvalidSettings() | RequestValidationError():
            return problem(422, "Some fields cannot be taken as they are.", errors=_field_problems(error))
        case NotVerified(report=report):
            return problem(
                422,
                f"It does not verify, so it is not saved: {report.failed_step} failed.",
                remedy=report.remedy,
                report=report,
            )
        case NotAdmitted():
            return problem(error.status, error.text, remedy=error.remedy)
        case InUse():
            return problem(409, str(error), remedy=error.remedy)
        case TransientError():
            return _busy(error)
        case _:
            status, detail, remedy = _ELSE[type(error)]
            return problem(status, detail, remedy=remedy, headers=_HEADERS.get(status))


def _busy(error: TransientError) -> Response[str]:
    soon = {"Retry-After": "5"}
    if not isinstance(error, ServiceBusy):
        return problem(503, "A store is busy; nothing was saved.", headers=soon)
    detail = "A store is busy; it is not known whether anything was done."
    return problem(503, detail, remedy="Read what is there before you repeat it.", headers=soon)


def _field_problems(error: InvalidSettings | RequestValidationError) -> list[FieldProblem]:
    if isinstance(error, InvalidSettings):
        return [
            FieldProblem(field=one.field, problem=one.text, line=one.line, remedy=one.remedy) for one in error.problems
        ]
    return [_field_problem(one) for one in error.errors()]


def _field_problem(error: Mapping[str, object]) -> FieldProblem:
    """The field by its path in the body, or by its own name in query and headers."""
    location = error["loc"]
    path = location[1:] if isinstance(location, tuple | list) else ()
    return FieldProblem(
        field=".".join(str(part) for part in path) or "(body)", problem=str(error["msg"]).removeprefix("Value error, ")
    )
