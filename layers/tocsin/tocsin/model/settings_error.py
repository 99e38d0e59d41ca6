"""Why a request to read or change settings is not carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.model.identity_provider import Problem


class NotThere(PermanentError):
    """There is no such project or mail account; or there is, and the caller may not know."""


class ForbiddenToChange(PermanentError):
    """The caller may read the project and not change it."""


class InvalidSettings(PermanentError):
    """The settings cannot be saved. `problems` name fields by their paths, and no values."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(problem.field for problem in problems))
        self.problems = problems


class Outdated(PermanentError):
    """The caller's `If-Match` names another version than the one that stands."""


class NothingToAuthorize(PermanentError):
    """The mail account does not log in by a grant that a person gives in a browser."""
