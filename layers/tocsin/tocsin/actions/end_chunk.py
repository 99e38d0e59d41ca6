"""End what is left of a stored chunk that can never be delivered any more, as when its project is gone."""

from __future__ import annotations

from collections import Counter
from itertools import batched
from typing import TYPE_CHECKING

from tocsin.actions.plan import is_open
from tocsin.model.delivery import NEXT, Change, State
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from tocsin.actions.delivery_ports import Bus, ChunkJournal
    from tocsin.model.chunk import Chunk
    from tocsin.model.delivery import Entry
    from tocsin.model.notification import Notification

_WRITTEN_TOGETHER = 50


def end_chunk(
    notification: Notification, chunk: Chunk, journal: ChunkJournal, *, reason: str, bus: Bus
) -> Counter[State]:
    """Let the deliveries that something was to become of expire, so that nothing leads back to them; how many did.

    Of one whose worker died it is not known whether its mail arrived.

    Raises:
        TransientError: try again; what is journaled stands.
    """
    states: Counter[State] = Counter()
    changes = [_ended(entry, reason) for entry in journal.entries.values() if is_open(entry)]
    for window in batched(changes, _WRITTEN_TOGETHER, strict=False):
        conflicts = journal.write(window, last=window[-1] is changes[-1])
        written = [change for change in window if change.before.recipient not in conflicts]
        bus.deliveries_changed(chunk, notification, written)
        states.update(change.state for change in written)
    return states


def _ended(entry: Entry, reason: str) -> Change:
    state = State.EXPIRED if State.EXPIRED in NEXT[entry.state] else State.UNKNOWN
    reply = Reply(phase=Phase.SETTINGS, code=None, text=reason)
    return Change(before=entry, state=state, attempt=entry.attempt, reply=reply)
