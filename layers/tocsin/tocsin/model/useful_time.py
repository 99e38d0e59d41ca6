"""For how long what somebody is told is of use: a code to enter, a link to follow."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def end_of_use(expires_at: datetime | None, minutes: int | None, told_at: datetime | None) -> datetime | None:
    """The moment from which on it is of none: the earlier of `expires_at` and so many minutes after `told_at`.

    None: nobody knows.
    """
    ends = [expires_at] if expires_at is not None else []
    if minutes is not None and told_at is not None:
        with suppress(OverflowError):  # no calendar has that moment
            ends.append(told_at + timedelta(minutes=minutes))
    return min(ends, default=None)
