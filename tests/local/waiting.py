"""Waiting for something that can be seen, with a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.1


def wait_until[T](
    look: Callable[[], T | None], what: str, *, within_seconds: float = 120, poll_seconds: float = POLL_SECONDS
) -> T:
    """What `look` returned when it was true for the first time.

    Raises:
        AssertionError: it never was within the time; the message holds `what` and the last look.
    """
    give_up_at = time.monotonic() + within_seconds
    while not (seen := look()):
        if time.monotonic() > give_up_at:
            raise AssertionError(f"not within {within_seconds} s: {what}; last seen: {seen!r}")
        time.sleep(poll_seconds)
    return seen
