"""How many mails an account, or a project, may still submit: never more than its limit in a minute, a day, a month.

A token bucket lets nearly twice its limit pass in the period after a pause, and providers count rolling periods, so
mails are counted by slices of time: what lies wholly or partly within the last period counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from tocsin.model.route import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.mail_account import Limits
    from tocsin.model.project import ProjectLimits

_WARN_AT_PERCENT = 80
KEPT = timedelta(days=32)
"""How long counts are of use: a month, and what rounds it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """A rolling period, in seconds. `longest_turn` is when one who waits in the line makes way for the next."""

    length: int
    slice_length: int
    longest_turn: int

    def used(self, counts: Mapping[str, int], now: float) -> int:
        oldest = self._oldest(now)
        return sum(count for number, count in counts.items() if int(number) >= oldest)

    def room_again_at(self, counts: Mapping[str, int], limit: int, now: float) -> float:
        """When one mail more fits."""
        used, oldest = self.used(counts, now), self._oldest(now)
        if used < limit:
            return now
        for number, count in sorted((int(number), count) for number, count in counts.items()):
            used -= count if number >= oldest else 0
            if used < limit:
                return float((number + 1) * self.slice_length + self.length)
        return now + self.length + self.slice_length  # a limit of nothing

    def add(self, counts: Mapping[str, int], mails: int, at: float, *, now: float) -> dict[str, int]:
        """The counts with so many mails more at `at`, or fewer."""
        oldest, current = self._oldest(now), str(int(at // self.slice_length))
        kept = {number: count for number, count in counts.items() if int(number) >= oldest}
        kept[current] = kept.get(current, 0) + mails
        return {number: count for number, count in kept.items() if count > 0}

    def turn(self, mails: int, limit: int) -> float:
        """How many seconds the others wait for so many mails; those that find no room take another turn."""
        return min(mails / limit * (self.length + self.slice_length), self.longest_turn)

    def mails_of(self, seconds: float, limit: int) -> int:
        """How many mails have turns of so many seconds."""
        return ceil(seconds / (self.length + self.slice_length) * limit)

    def _oldest(self, now: float) -> int:
        """The slice that the last period begins in."""
        return int((now - self.length) // self.slice_length)


_MINUTE = _Period(length=60, slice_length=5, longest_turn=65)
_DAY = _Period(length=86_400, slice_length=3_600, longest_turn=3_600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What was submitted within limits, an account's or a project's, and what that leaves.

    Made of, and kept as, a plain document.

    `lines` hold when the turns are over that were given to those who wait, one line for each route: a page to
    thousands of subscribers never stands before an incident, and leaves room for those that wait in other lines. They
    are of use for the limits that they were made for.
    """

    limits: Limits | ProjectLimits
    minute: Mapping[str, int]
    day: Mapping[str, int]
    month: str
    in_month: int
    warned: bool
    lines: Mapping[str, float]

    @classmethod
    def of(cls, document: Mapping[str, Any], limits: Limits | ProjectLimits, now: datetime) -> Rate:
        """What `document` says at `now`."""
        is_this_month = document.get("month") == _month(now)
        return cls(
            limits=limits,
            minute=document.get("minute", {}),
            day=document.get("day", {}),
            month=_month(now),
            in_month=int(document.get("in_month", 0)) if is_this_month else 0,
            warned=bool(document.get("warned")) and is_this_month,
            lines=document["lines"] if document.get("lines_for") == _lines_for(limits) else {},
        )

    def document(self) -> dict[str, Any]:
        """What is kept."""
        return {
            "minute": dict(self.minute),
            "day": dict(self.day),
            "month": self.month,
            "in_month": self.in_month,
            "warned": self.warned,
            "lines": dict(self.lines),
            "lines_for": _lines_for(self.limits),
        }

    def room(self, now: datetime, line: str | None = None) -> int | None:
        """How many mails may go now, of those of that line; None: any number."""
        seconds, ahead = now.timestamp(), self._ahead_of(line, now)
        rooms = [
            limit - period.used(counts, seconds) - period.mails_of(ahead, limit)
            for period, counts, limit in self._rolling()
        ]
        if self.limits.per_month is not None:
            rooms.append(self.limits.per_month - self.in_month)
        return max(0, min(rooms)) if rooms else None

    @property
    def month_is_used_up(self) -> bool:
        """Whether only next month, or a higher limit, helps."""
        return self.limits.per_month is not None and self.in_month >= self.limits.per_month

    @property
    def warns_now(self) -> bool:
        """Whether the month's limit is nearly reached, and nobody was told."""
        limit = self.limits.per_month
        return limit is not None and not self.warned and self.in_month * 100 >= limit * _WARN_AT_PERCENT

    def room_again_at(self, now: datetime, line: str | None = None) -> datetime:
        """When a mail of that line fits again, as far as minute and day are concerned."""
        seconds = now.timestamp()
        moments = [period.room_again_at(counts, limit, seconds) for period, counts, limit in self._rolling()]
        return datetime.fromtimestamp(max([seconds + self._ahead_of(line, now), *moments]), UTC)

    def turn_at(self, line: str, now: datetime) -> datetime:
        """When those have their turn who join the line now."""
        ends_at = self.lines.get(line, 0.0)
        return max(self.room_again_at(now, line), datetime.fromtimestamp(ends_at, UTC))

    def submitted(self, mails: int, now: datetime) -> Rate:
        """The rate once so many mails may be submitted at any moment."""
        return self._counting(mails, now, now=now)

    def settled(self, *, claimed: int, used: int, claimed_at: datetime, now: datetime) -> Rate:
        """The rate once it is known how many of those mails were submitted: they count from `now`, when all are."""
        unclaimed = self._counting(-claimed, claimed_at, now=now)
        return unclaimed.submitted(used, now)

    def booked(self, line: str, mails: int, now: datetime) -> tuple[Rate, datetime]:
        """Join the line with so many mails; when they have their turn. Those who join later come later."""
        seconds, begin = now.timestamp(), self.turn_at(line, now)
        turns = [
            period.turn(mails, limit)
            for period, counts, limit in self._rolling()
            if limit > 0 and period.used(counts, seconds) >= limit
        ]
        lines = {name: end for name, end in self.lines.items() if end > seconds}
        lines[line] = begin.timestamp() + max(turns, default=0.0)
        return replace(self, lines=lines), begin

    def warning_given(self) -> Rate:
        """The rate once it was said that the month's limit is nearly reached."""
        return replace(self, warned=True)

    def _ahead_of(self, line: str | None, now: datetime) -> float:
        """How many seconds of other lines this one leaves to them: pages to subscribers give way to everything else."""
        if line != Route.STATUS_PAGE:
            return 0.0
        others = (end for name, end in self.lines.items() if name != line)
        return max(0.0, max(others, default=0.0) - now.timestamp())

    def _rolling(self) -> list[tuple[_Period, Mapping[str, int], int]]:
        """The rolling periods that have a limit, with what was counted."""
        periods = ((_MINUTE, self.minute, self.limits.per_minute), (_DAY, self.day, self.limits.per_day))
        return [(period, counts, limit) for period, counts, limit in periods if limit is not None]

    def _counting(self, mails: int, at: datetime, *, now: datetime) -> Rate:
        seconds, now_seconds = at.timestamp(), now.timestamp()
        limits, is_this_month = self.limits, _month(at) == self.month
        return replace(
            self,
            minute={} if limits.per_minute is None else _MINUTE.add(self.minute, mails, seconds, now=now_seconds),
            day={} if limits.per_day is None else _DAY.add(self.day, mails, seconds, now=now_seconds),
            in_month=max(0, self.in_month + mails) if is_this_month else self.in_month,
        )


def next_month(now: datetime) -> datetime:
    """When the month's count begins anew, in UTC."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _month(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m")


def _lines_for(limits: Limits | ProjectLimits) -> list[int | None]:
    return [limits.per_minute, limits.per_day]
