"""Sweep every minute: what is parked for an account that was mended, and chunks that nobody came back to."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Protocol

from tocsin.model.delivery import State
from tocsin.model.redrive import BY_SWEEP, RELEASED_FIRST, next_pass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tocsin.actions.redrive import Redrive
    from tocsin.model.chunk import Chunk
    from tocsin.model.redrive import DeliveryKey, Mark

_GRACE = timedelta(minutes=15)
"""How late a chunk may be before its message counts as lost: SQS itself gives a message out again sooner."""

_MOST_REDRIVEN = 5000
_MARKS_AT_ONCE = 100
_MOST_CHUNKS = 500
_CHUNKS_AT_ONCE = 100
_FOR_MARKS = 2 / 3  # of the time


class Marks(Protocol):
    """The marks of accounts whose parked deliveries may go."""

    def due(self, now: datetime) -> Iterable[Mark]:
        """The marks that are to be looked at, those waiting longest first."""
        ...

    def reach(self, mark: Mark, reached: str) -> None:
        """Keep how far the pass came, unless somebody else ended it, or marked anew."""
        ...

    def end_pass(self, mark: Mark, *, next_pass_at: datetime | None) -> None:
        """Have the mark looked at again at that time, or never; unless somebody else did so, or marked anew."""
        ...


class ParkedDeliveries(Protocol):
    """The index of what is parked."""

    def parked(
        self, project_id: str, mail_account_id: str | None, *, reached: str | None
    ) -> Iterator[tuple[Sequence[DeliveryKey], str]]:
        """What is parked for the account, oldest first, in parts of at most 100; with how far each part reaches.

        For an account of the installation's own: in every project, one after the other.
        """
        ...


class Secrets(Protocol):
    """The secrets of mail accounts."""

    def let_go(self, project_id: str, mail_account_id: str) -> None:
        """Let the account's secret go if the account is deleted. Doing so again is no error."""
        ...


class OverdueChunks(Protocol):
    """The index of what is due."""

    def overdue(self, before: datetime) -> Iterator[Chunk]:
        """The chunks of which something has been due since `before`; a chunk may be there more than once."""
        ...

    def claim(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        """Those of at most 100 that nobody works on, and nobody claimed lately: they are claimed now."""
        ...


class BulkQueue(Protocol):
    """The queue of stored chunks."""

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        """Have the chunks delivered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDue:
    """The action and all that it needs. Two at once do no harm. `on_trouble` is told project, account and error."""

    marks: Marks
    parked: ParkedDeliveries
    redrive: Redrive
    secrets: Secrets
    chunks: OverdueChunks
    bulk_queue: BulkQueue
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    on_trouble: Callable[[str, str, str], None]

    def __call__(self, *, until: float) -> Counter[str]:
        """Sweep, begin nothing after `until` (monotonic seconds), and count: what is left is the next run's.

        The counts are `redriven` (deliveries), `sent_again` (chunks), `marks_ended`, and `failed`: marks that are in
        trouble, and looked at again in the next run.
        """
        counts: Counter[str] = Counter()
        begun = self.monotonic()
        self._redrive_marked(counts, until=begun + (until - begun) * _FOR_MARKS)
        self._send_overdue(counts, until=until)
        return counts

    def _redrive_marked(self, counts: Counter[str], *, until: float) -> None:
        """Let the marks take turns, a part each, so that no project waits behind another's backlog.

        Where they are very many, so many at a time: what is in trouble makes room for the next.
        """
        for marks in batched(self.marks.due(self.clock()), _MARKS_AT_ONCE, strict=False):
            turns = deque((mark, self._pass(mark, counts)) for mark in marks)
            while turns:
                if counts["redriven"] >= _MOST_REDRIVEN or self.monotonic() >= until:
                    return
                mark, steps = turns.popleft()
                if self._goes_on(mark, steps, counts):
                    turns.append((mark, steps))

    def _goes_on(self, mark: Mark, steps: Iterator[None], counts: Counter[str]) -> bool:
        try:
            next(steps)
        except StopIteration:
            return False
        except Exception as error:  # noqa: BLE001  (the trouble of one account is told, and stays its own)
            self.on_trouble(mark.project_id, mark.mail_account_id or "none", type(error).__name__)
            counts["failed"] += 1
            return False
        return True

    def _pass(self, mark: Mark, counts: Counter[str]) -> Iterator[None]:
        """Re-drive what was parked before the pass; what is parked again meanwhile is for the next one, if any.

        Where the mark is of an account that was deleted, its secret goes too, if it is still there.
        """
        for keys, reached in self.parked.parked(mark.project_id, mark.mail_account_id, reached=mark.reached):
            counts["redriven"] += self.redrive(
                keys,
                states={State.PARKED},
                by=BY_SWEEP,
                at=self.clock() + RELEASED_FIRST,
                revive=False,
                unchanged_since=mark.pass_at,
            )
            self.marks.reach(mark, reached)
            yield
        if mark.mail_account_id is not None:
            self.secrets.let_go(mark.project_id, mark.mail_account_id)
        again_at = next_pass(mark)
        self.marks.end_pass(mark, next_pass_at=again_at)
        counts["marks_ended"] += again_at is None

    def _send_overdue(self, counts: Counter[str], *, until: float) -> None:
        for chunks in batched(self._overdue(until), _CHUNKS_AT_ONCE, strict=False):
            if counts["sent_again"] >= _MOST_CHUNKS:
                return
            claimed = self.chunks.claim(chunks)
            self.bulk_queue.send(claimed)
            counts["sent_again"] += len(claimed)

    def _overdue(self, until: float) -> Iterator[Chunk]:
        seen: set[Chunk] = set()
        for chunk in self.chunks.overdue(self.clock() - _GRACE):
            if self.monotonic() >= until:
                return
            if chunk not in seen:
                seen.add(chunk)
                yield chunk
