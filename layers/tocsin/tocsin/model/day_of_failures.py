"""A project's failed deliveries of a day: when they are summed up, and into what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from tocsin.model.delivery import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.model.delivery import Change
    from tocsin.model.delivery_record import DeliveryRecord
    from tocsin.model.notification import Notification

FAILED = frozenset({State.REFUSED, State.PARKED, State.EXPIRED, State.UNKNOWN})
"""The states that somebody should look at."""

SUMMARY_TYPE = "delivery.failed_summary"
_DAY = timedelta(days=1)
_MARKED_WITHIN = timedelta(minutes=1)  # of the write that it is about
_SUMMED_UP_AT = time(6, tzinfo=UTC)  # before work begins in Europe, and while it ends in America
_MOST_GROUPS = 20
_MOST_EXAMPLES = 20
_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureMark:
    """That deliveries of a project failed in the day before `due_at`; their notifications came at `since` or later."""

    project_id: str
    due_at: datetime
    since: datetime

    def covers(self, record: DeliveryRecord) -> bool:
        """Whether the delivery failed in that day, and still is so."""
        failed_then = self.due_at - _DAY <= record.updated_at < self.due_at
        return failed_then and record.state in FAILED and record.type != SUMMARY_TYPE


def has_failures(notification: Notification, changes: Iterable[Change]) -> bool:
    """Whether admins should read of these changes; not of a summary's own, which would bring one every day."""
    return notification.type != SUMMARY_TYPE and any(change.state in FAILED for change in changes)


def due_after(now: datetime) -> datetime:
    """When what fails now is summed up."""
    today = datetime.combine(now.astimezone(UTC).date(), _SUMMED_UP_AT)
    return today if now < today else today + _DAY


def days_marked(now: datetime) -> list[datetime]:
    """When what failed just before `now` is summed up: where a day ended meanwhile, it may be of either."""
    return sorted({due_after(now - _MARKED_WITHIN), due_after(now)})


@dataclass(slots=True, kw_only=True)
class DayOfFailures:
    """What failed in a day, as it is counted. `is_more`: not everything was looked at."""

    mark: FailureMark
    is_more: bool = False
    _groups: Counter[tuple[State, str | None, str | None, str | None]] = field(default_factory=Counter)
    _examples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many deliveries there are."""
        return self._groups.total()

    def add(self, record: DeliveryRecord, *, mail_account: str | None, remedy: str | None) -> None:
        """Count a delivery that failed by this mail account (its name), of which this is to be done."""
        self._groups[record.state, mail_account, _reason(record), remedy] += 1
        if len(self._examples) < _MOST_EXAMPLES:
            self._examples.append(_example(record))

    def document(self) -> dict[str, Any]:
        """What the notification says of it, the largest groups first."""
        groups = self._groups.most_common(_MOST_GROUPS)
        return {
            "since": (self.mark.due_at - _DAY).isoformat(),
            "until": self.mark.due_at.isoformat(),
            "count": self.count,
            "is_more": self.is_more,
            "groups": [
                {"state": state.value, "mail_account": name, "reason": reason, "remedy": remedy, "count": count}
                for (state, name, reason, remedy), count in groups
            ],
            "examples": self._examples,
        }


def _reason(record: DeliveryRecord) -> str | None:
    """The last answer without what is each recipient's own: its codes, or the words that we have for it."""
    reply = record.last_answered.reply if record.last_answered is not None else None
    if reply is None:
        return None
    if reply.code is None:
        return reply.text[:_REASON_CHARACTERS]
    return f"{reply.code} {reply.enhanced}" if reply.enhanced is not None else str(reply.code)


def _example(record: DeliveryRecord) -> dict[str, Any]:
    reply = record.last_answered.reply if record.last_answered is not None else None
    return {
        "recipient": record.key.recipient,
        "type": record.type,
        "state": record.state.value,
        "reason": reply.text[:_REASON_CHARACTERS] if reply is not None else None,
        "at": record.updated_at.isoformat(),
    }
