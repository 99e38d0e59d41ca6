"""Re-drive what an admin chooses: so many deliveries at a time, and who did it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.audit import AuditEntry
from tocsin.model.redrive import RELEASED_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.actions.redrive import Redrive
    from tocsin.model.delivery import State
    from tocsin.model.delivery_search import Found, Position, Search
    from tocsin.model.permissions import Caller
    from tocsin.model.redrive import DeliveryKey

_PARTS = 5
_PART = 100

type Details = Mapping[str, str | int | tuple[str, ...]]


class Deliveries(Protocol):
    """The journals of all chunks, as they can be looked through."""

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        """At most `size` of the deliveries that are looked for, newest first: as they stood a moment ago."""
        ...

    def keys(self, project_id: str, delivery_ids: Sequence[str]) -> list[DeliveryKey]:
        """The project's deliveries with these ids."""
        ...


class Audit(Protocol):
    """What is remembered."""

    def record(self, entry: AuditEntry) -> None:
        """Write the entry: of what is done by now."""
        ...


@dataclass(slots=True, kw_only=True)
class Redriven:
    """What was done, and where the search goes on: None where it is through."""

    redriven: int = 0
    looked_at: int = 0
    behind: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveDeliveries:
    """The action and all that it needs.

    Whoever may change the project may have any of its deliveries sent again, whatever state the request allows: it is
    wanted now, so each lives anew.
    """

    access: Access
    deliveries: Deliveries
    redrive: Redrive
    audit: Audit
    clock: Callable[[], datetime]

    def found(self, caller: Caller, project_id: str, search: Search, *, behind: Position | None) -> Redriven:
        """Re-drive what the search finds, of 500 at most; those that are in its states by then.

        Raises:
            NotThere, ForbiddenToChange: as `Access` says.
            TransientError: not all could be written or sent; doing it again does no harm.
        """
        self.access.let_change(caller, project_id)
        done = Redriven(behind=behind)
        try:
            for _ in range(_PARTS):
                part = self.deliveries.find(project_id, search, behind=done.behind, size=_PART)
                self._let_go(part.keys[::-1], search.states, caller, done)
                done.behind = part.behind
                if done.behind is None or not part.keys:
                    break
        finally:
            if done.redriven or behind is None:
                self._remember(caller, project_id, done, _filter(search))
        return done

    def named(self, caller: Caller, project_id: str, delivery_ids: Sequence[str], states: frozenset[State]) -> Redriven:
        """Re-drive those of the project's deliveries with these ids that are in `states`.

        Raises:
            NotThere, ForbiddenToChange, TransientError: as `found`.
        """
        self.access.let_change(caller, project_id)
        done = Redriven()
        try:
            self._let_go(self.deliveries.keys(project_id, delivery_ids), states, caller, done)
        finally:
            by_ids: Details = {"states": tuple(sorted(states)), "delivery_ids": tuple(delivery_ids)}
            self._remember(caller, project_id, done, by_ids)
        return done

    def _let_go(self, keys: list[DeliveryKey], states: frozenset[State], caller: Caller, done: Redriven) -> None:
        """Let them go in the order given, as far as they are in `states`."""
        done.looked_at += len(keys)
        at = self.clock() + RELEASED_FIRST
        done.redriven += self.redrive(keys, states=states, by=caller.id, at=at, revive=True)

    def _remember(self, caller: Caller, project_id: str, done: Redriven, by_filter: Details) -> None:
        self.audit.record(
            AuditEntry(
                project_id=project_id,
                at=self.clock(),
                admin=caller.id,
                action="deliveries.redriven",
                subject="deliveries",
                details={**by_filter, "redriven": done.redriven, "looked_at": done.looked_at},
            )
        )


def _filter(search: Search) -> Details:
    """What was looked for, as far as the search says it."""
    said = {
        "recipient": search.recipient,
        "correlation": search.correlation,
        "mail_account_id": search.mail_account_id,
        "type": search.type,
        "from": search.since.isoformat(),
        "to": search.until.isoformat(),
    }
    return {
        "states": tuple(sorted(search.states)),
        **{name: value for name, value in said.items() if value is not None},
    }
