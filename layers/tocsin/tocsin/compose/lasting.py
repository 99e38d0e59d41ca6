"""How long something goes on already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.compose.reader import current_reader
from tocsin.compose.times import duration

if TYPE_CHECKING:
    from datetime import datetime


def lasting(since: datetime | None, told_at: datetime | None, seconds: float | None = None) -> str | None:
    """Write how long: `seconds` where they are known, else from `since` to `told_at`; None where that is not known."""
    if seconds is None and since is not None and told_at is not None:
        seconds = (told_at - since).total_seconds()
    return None if seconds is None or seconds < 0 else duration(seconds, current_reader().locale)
