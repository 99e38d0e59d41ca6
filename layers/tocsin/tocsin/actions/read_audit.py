"""Read who changed what in a project, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tocsin.actions.access import Access
    from tocsin.model.audit import AuditEntry
    from tocsin.model.permissions import Caller


class Audit(Protocol):
    """What is remembered."""

    def page(self, project_id: str, *, behind: str | None, size: int) -> tuple[list[AuditEntry], str | None]:
        """At most `size` entries, newest first, behind a place; and the place where the list goes on, if it does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAudit:
    """The action and all that it needs."""

    access: Access
    audit: Audit

    def __call__(
        self, caller: Caller, project_id: str, *, behind: str | None, size: int
    ) -> tuple[list[AuditEntry], str | None]:
        """As `Audit.page`.

        Raises:
            NotThere: the project is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        return self.audit.page(project_id, behind=behind, size=size)
