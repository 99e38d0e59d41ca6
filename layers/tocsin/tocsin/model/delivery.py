"""A delivery: one notification to one recipient, its states, and the arrows between them (DESIGN section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


class State(StrEnum):
    """Where a delivery stands; it is always in exactly one of these."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    PARKED = "parked"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


NEXT: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset(
        {State.SUBMITTING, State.DEFERRED, State.PARKED, State.REFUSED, State.SUPPRESSED, State.EXPIRED}
    ),
    State.SUBMITTING: frozenset(
        {State.ACCEPTED, State.DEFERRED, State.REFUSED, State.PARKED, State.UNKNOWN, State.SUBMITTING}
    ),
    State.ACCEPTED: frozenset({State.BOUNCED, State.COMPLAINED}),
    State.DEFERRED: frozenset({State.SUBMITTING, State.DEFERRED, State.PARKED, State.SUPPRESSED, State.EXPIRED}),
    State.REFUSED: frozenset({State.QUEUED}),
    State.PARKED: frozenset({State.QUEUED, State.SUPPRESSED, State.EXPIRED}),
    State.UNKNOWN: frozenset({State.SUBMITTING, State.BOUNCED, State.COMPLAINED, State.EXPIRED}),
    State.SUPPRESSED: frozenset(),
    State.EXPIRED: frozenset({State.QUEUED}),
    State.BOUNCED: frozenset({State.COMPLAINED}),
    State.COMPLAINED: frozenset(),
}


def states_before(state: State) -> frozenset[State]:
    """The states that may be left for `state`; what every conditional write asks for."""
    return frozenset(before for before, following in NEXT.items() if state in following)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the journal holds about one delivery, or will hold: `stored` is false while nothing is written yet.

    `attempt` counts the tries that were spent. `message_id` is fixed at the first write. `revived_at` is when an admin
    last re-drove it: it has a useful life from then on, whatever became of the notification's own. One that `is_held`
    is never submitted: a digest tells of it. One that `is_left` was in flight when its worker died: the relay may have
    its mail. One that `was_begun` is counted as a mail to its recipient, though no try may have been spent on it.
    """

    recipient: str
    state: State
    attempt: int
    message_id: str
    retry_at: datetime | None = None
    resubmitted: bool = False
    revived_at: datetime | None = None
    is_held: bool = False
    is_left: bool = False
    was_begun: bool = False
    stored: bool = True


def queued(recipient: str, message_id: str) -> Entry:
    """A delivery that is known and not tried, of which nothing is written yet."""
    return Entry(recipient=recipient, state=State.QUEUED, attempt=0, message_id=message_id, stored=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """The mail account that would have been used first, and why it was not: what it answered, or what we know of it."""

    mail_account_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a delivery waits for the digest of a group, and what that needs to know of it, as a plain document."""

    group: str
    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One arrow: from `before` to `state`, and why.

    `retry_at` is set for `deferred`, and for an `unknown` that is submitted once more. `instead_of` is set where the
    mail account is a fall-back, `hold` where the delivery waits for a digest.
    """

    before: Entry
    state: State
    attempt: int
    mail_account_id: str | None = None
    reply: Reply | None = None
    verdict: Verdict | None = None
    retry_at: datetime | None = None
    instead_of: Fallback | None = None
    hold: Hold | None = None

    def __post_init__(self) -> None:
        """Refuse an arrow that does not exist."""
        if self.state not in NEXT[self.before.state]:
            raise ValueError(f"no delivery goes from {self.before.state} to {self.state}")

    @property
    def after(self) -> Entry:
        """The entry as it stands once the change is written."""
        return Entry(
            recipient=self.before.recipient,
            state=self.state,
            attempt=self.attempt,
            message_id=self.before.message_id,
            retry_at=self.retry_at,
            resubmitted=self.before.resubmitted or self.before.state is State.UNKNOWN,
            revived_at=self.before.revived_at,
            is_held=self.hold is not None,
            was_begun=self.before.was_begun or self.before.state is State.SUBMITTING,
        )
