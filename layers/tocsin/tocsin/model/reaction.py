"""What recipients did with a mail, as far as a project counts it: opens and clicks, people's and machines' apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

KEPT_TIMES = 20
"""How many times of each kind are kept for a delivery; what follows is only counted."""

_SCANNED_WITHIN = timedelta(seconds=10)


class Reaction(StrEnum):
    """What can be counted."""

    OPEN = "open"
    CLICK = "click"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one kind. `times` are the first at which it was no known machine, oldest first."""

    count: int = 0
    machine_count: int = 0
    times: tuple[datetime, ...] = ()

    @property
    def first_at(self) -> datetime | None:
        """When the first was, as far as times are kept."""
        return self.times[0] if self.times else None

    def by_people(self, accepted_at: datetime | None) -> Seen:
        """The same, with what came before the relay had accepted the mail, or at once after it, left to machines.

        Nobody reads that fast: it was the scanner of the recipient's mail server.
        """
        if accepted_at is None:
            return self
        times = tuple(at for at in self.times if at >= accepted_at + _SCANNED_WITHIN)
        scans = len(self.times) - len(times)
        return Seen(count=self.count - scans, machine_count=self.machine_count + scans, times=times)


NOTHING_SEEN = Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """All that was seen of one delivery."""

    opens: Seen = NOTHING_SEEN
    clicks: Seen = NOTHING_SEEN
