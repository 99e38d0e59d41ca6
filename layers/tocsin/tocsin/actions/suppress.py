"""Suppress addresses, and let them be mailed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.address import canonical_recipient
from tocsin.model.audit import AuditEntry
from tocsin.model.settings_error import NotThere
from tocsin.model.suppression import Suppression

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.model.permissions import Caller
    from tocsin.model.suppression import SuppressionInput


class Suppressions(Protocol):
    """Where suppressions are kept. Each change is remembered with who made it."""

    def page(self, project_id: str, *, after: str | None, size: int) -> list[Suppression]:
        """At most `size` of the project's suppressions by address, behind the address `after`."""
        ...

    def add(self, suppression: Suppression, entry: AuditEntry) -> Suppression | None:
        """Write it; or what stands there, if the address is suppressed already: then nothing is written."""
        ...

    def remove(self, project_id: str, address: str, entry: AuditEntry) -> bool:
        """Let the address be mailed again; whether it was suppressed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """The actions and all that they need.

    What waits for an address that is suppressed now becomes `suppressed` when its time comes, and stays so.
    """

    access: Access
    suppressions: Suppressions
    clock: Callable[[], datetime]

    def page(self, caller: Caller, project_id: str, *, after: str | None, size: int) -> list[Suppression]:
        """Some of the project's suppressions.

        Raises:
            NotThere: the project is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        return self.suppressions.page(project_id, after=after, size=size)

    def add(self, caller: Caller, project_id: str, wanted: SuppressionInput) -> tuple[Suppression, bool]:
        """What stands there now, and whether it is new. An address that is suppressed already stays as it is.

        Raises:
            NotThere, ForbiddenToChange: as `Access` says.
        """
        self.access.let_change(caller, project_id)
        suppression = Suppression(
            project_id=project_id,
            address=wanted.address,
            reason=wanted.reason,
            scope=wanted.scope,
            since=self.clock(),
            added_by=caller.id,
        )
        standing = self.suppressions.add(suppression, self._entry(caller, project_id, "added", wanted.address))
        return standing or suppression, standing is None

    def remove(self, caller: Caller, project_id: str, address: str) -> None:
        """Let the address be mailed again.

        Raises:
            NotThere: it is not suppressed; or as `Access` says.
            ForbiddenToChange: as `Access` says.
        """
        self.access.let_change(caller, project_id)
        known = canonical_recipient(address)
        if not self.suppressions.remove(project_id, known, self._entry(caller, project_id, "removed", known)):
            raise NotThere("no such suppression")

    def _entry(self, caller: Caller, project_id: str, what: str, address: str) -> AuditEntry:
        return AuditEntry(
            project_id=project_id,
            at=self.clock(),
            admin=caller.id,
            action=f"suppression.{what}",
            subject=address,
        )
