"""Suppress addresses, and let them be mailed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.address import canonical_recipient
from tocsin.model.audit import AuditEntry
from tocsin.model.settings_error import NotThere
from tocsin.model.suppression import Suppression, is_key
from tocsin.model.suppression_scope import ALL, suppression_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.model.permissions import Caller
    from tocsin.model.suppression import SuppressionInput
    from tocsin.model.suppression_scope import Scope


class Suppressions(Protocol):
    """Where suppressions are kept. Each change is remembered with who made it."""

    def page(self, project_id: str, *, after: str | None, size: int) -> tuple[list[Suppression], str | None]:
        """At most `size` of the project's suppressions by address, behind a key; and the key where the list goes on."""
        ...

    def add(self, suppression: Suppression, entry: AuditEntry) -> Suppression | None:
        """Write it; or what stands there, if the address is suppressed already: then nothing is written."""
        ...

    def remove(self, project_id: str, key: str, entry: AuditEntry) -> bool:
        """Let an address be mailed again; whether it was suppressed under this key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """The actions and all that they need.

    What waits for an address that is suppressed now becomes `suppressed` when its time comes, and stays so.
    """

    access: Access
    suppressions: Suppressions
    clock: Callable[[], datetime]

    def page(
        self, caller: Caller, project_id: str, *, after: str | None, size: int
    ) -> tuple[list[Suppression], str | None]:
        """Some of the project's suppressions, and the key behind which there may be more.

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
        standing = self.suppressions.add(
            suppression, self._entry(caller, project_id, "added", wanted.address, wanted.scope)
        )
        return standing or suppression, standing is None

    def remove(self, caller: Caller, project_id: str, address: str, scope: Scope) -> None:
        """Let the address be mailed again about what `scope` names.

        Raises:
            NotThere: it is not suppressed there; or as `Access` says.
            ForbiddenToChange: as `Access` says.
        """
        self.access.let_change(caller, project_id)
        known = canonical_recipient(address)
        entry = self._entry(caller, project_id, "removed", known, scope)
        key = suppression_key(known, scope)
        if not is_key(key) or not self.suppressions.remove(project_id, key, entry):
            raise NotThere("no such suppression")

    def _entry(self, caller: Caller, project_id: str, what: str, address: str, scope: Scope) -> AuditEntry:
        return AuditEntry(
            project_id=project_id,
            at=self.clock(),
            admin=caller.id,
            action=f"suppression.{what}",
            subject=address,
            details={} if scope == ALL else {"scope": scope},
        )
