"""Send deliveries again that wait for somebody's decision: parked, refused, expired, or of unknown outcome."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Protocol

from tocsin.model.redrive import REDRIVABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from tocsin.model.chunk import Chunk
    from tocsin.model.delivery import Entry, State
    from tocsin.model.redrive import DeliveryKey

_AT_ONCE = 100


class Deliveries(Protocol):
    """The deliveries in the journal, whichever chunk they belong to."""

    def entries(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Entry]:
        """What stands there now, of at most 100; those that are not stored are left out."""
        ...

    def release(
        self,
        entries: Mapping[DeliveryKey, Entry],
        *,
        at: datetime,
        by: str,
        revive: bool,
        unchanged_since: datetime | None,
    ) -> Sequence[DeliveryKey]:
        """Let these go, due from `at` on; those that did, in the order given. `revive` gives each a new life.

        One that is in another state by now stays as it is, and so does one that changed after `unchanged_since`, or
        that the journal will not hold for as long as a new life lasts.
        """
        ...


class BulkQueue(Protocol):
    """The queue of stored chunks."""

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        """Have the chunks delivered, not before `at`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """The action and all that it needs.

    Message-ID, attempts and log stay. What is stale by now expires at its next delivery, and is not submitted, unless
    it is revived. If the worker dies between the two writes, the deliveries are due without a message, and the sweep
    finds them.
    """

    deliveries: Deliveries
    bulk_queue: BulkQueue

    def __call__(
        self,
        keys: Iterable[DeliveryKey],
        *,
        states: AbstractSet[State],
        by: str,
        at: datetime,
        revive: bool,
        unchanged_since: datetime | None = None,
    ) -> int:
        """Send again, from `at` on, those of the deliveries that are in `states`, in the order given; how many.

        `by` says in each delivery's log who wanted it: the id of an admin, or `BY_SWEEP`. `revive`: each has its
        family's useful life anew, from `at` on, as one wants it that somebody asks for; without it, what expired does
        so again. Which states the caller may have re-driven is for the caller to know.

        Raises:
            TransientError: not all could be written or sent; doing it again does no harm.
            ValueError: one of `states` is never left by a re-drive.
        """
        if foreign := states - REDRIVABLE:
            raise ValueError(f"nothing is re-driven that is {', '.join(sorted(foreign))}")
        return sum(
            self._batch(batch, states=states, by=by, at=at, revive=revive, unchanged_since=unchanged_since)
            for batch in batched(dict.fromkeys(keys), _AT_ONCE, strict=False)
        )

    def _batch(
        self,
        keys: Sequence[DeliveryKey],
        *,
        states: AbstractSet[State],
        by: str,
        at: datetime,
        revive: bool,
        unchanged_since: datetime | None,
    ) -> int:
        standing = self.deliveries.entries(keys)
        wanted = {key: standing[key] for key in keys if key in standing and standing[key].state in states}
        if not wanted:
            return 0
        released = self.deliveries.release(wanted, at=at, by=by, revive=revive, unchanged_since=unchanged_since)
        self.bulk_queue.send(dict.fromkeys(key.chunk for key in released), at=at)
        return len(released)
