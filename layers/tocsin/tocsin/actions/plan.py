"""Decide, before anything is submitted, which recipients are due, which wait, and which need no mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tocsin.model.delivery import NEXT, Change, Entry, State, queued
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

_OPEN = frozenset({State.QUEUED, State.DEFERRED, State.SUBMITTING})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done for a chunk."""

    due: list[Entry] = field(default_factory=list)
    decided: list[Change] = field(default_factory=list)
    for_digest: list[Entry] = field(default_factory=list)
    waiting_until: list[datetime] = field(default_factory=list)


def make_plan(
    recipients: Iterable[str],
    entries: Mapping[str, Entry],
    *,
    message_id: Callable[[str], str],
    suppressed: AbstractSet[str],
    ends_at: Callable[[Entry], datetime],
    now: datetime,
) -> Plan:
    """Sort the recipients of a chunk that the caller owns.

    One found `submitting` is left from a crash, and due. One whose outcome is unknown cannot become `suppressed`: it
    waits for its end. `ends_at` tells when the useful life of each is over. One that is held outlives it: a digest
    tells what was, and so is still of use.
    """
    plan = Plan()
    for recipient in recipients:
        entry = entries.get(recipient) or queued(recipient, message_id(recipient))
        if not is_open(entry):
            continue
        if recipient in suppressed and State.SUPPRESSED in NEXT[entry.state]:
            plan.decided.append(_decided(entry, State.SUPPRESSED))
        elif entry.is_held and entry.retry_at is not None and entry.retry_at <= now:
            plan.for_digest.append(entry)
        elif not entry.is_held and now >= ends_at(entry) and State.EXPIRED in NEXT[entry.state]:
            plan.decided.append(_decided(entry, State.EXPIRED))
        elif recipient in suppressed and entry.state is State.UNKNOWN:
            plan.waiting_until.append(ends_at(entry))
        elif entry.retry_at is not None and entry.retry_at > now:
            plan.waiting_until.append(entry.retry_at)
        else:
            plan.due.append(entry)
    return plan


def is_open(entry: Entry) -> bool:
    """Whether something is still to become of the delivery without an admin."""
    return entry.state in _OPEN or (entry.state is State.UNKNOWN and entry.retry_at is not None)


def _decided(entry: Entry, state: State) -> Change:
    reply = Reply(phase=Phase.SETTINGS, code=None, text=state.value)
    return Change(before=entry, state=state, attempt=entry.attempt, reply=reply)
