"""Why a request to read or change settings is not carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.errors import PermanentError
from tocsin.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence


class NotThere(PermanentError):
    """There is no such project or resource; or there is, and the caller may not know."""


class ForbiddenToChange(PermanentError):
    """The caller may read the project and not change it."""


class InvalidSettings(PermanentError):
    """The settings cannot be saved. `problems` name fields by their paths, and no values."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(problem.field for problem in problems))
        self.problems = problems


class SlugTaken(InvalidSettings):
    """Another mail account of the project has the slug."""

    def __init__(self) -> None:
        super().__init__([Problem(field="slug", text="Another mail account of the project has it.")])


class Outdated(PermanentError):
    """It is not as the caller, or we, have read it: somebody else was faster."""


class VerifiedTooOften(PermanentError):
    """The project has had relays asked as often as it may in a minute."""


class VersionNotNamed(PermanentError):
    """The caller wants to replace what is there, and does not say which version of it."""


class InUse(PermanentError):
    """Something else still needs it. The text and `remedy` are for the caller."""

    def __init__(self, text: str, *, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


class KeyInUse(PermanentError):
    """The request with this idempotency key is being carried out."""


class EndNotKnown(PermanentError):
    """The request with this idempotency key was begun, and nobody knows how it ended."""


class KeyOfAnotherRequest(PermanentError):
    """The idempotency key was used for another request."""


class NoVerifiedAddress(PermanentError):
    """A message is to go to the caller, and the token does not say where to."""


class NothingToAuthorize(PermanentError):
    """The mail account does not log in by a grant that a person gives in a browser."""
