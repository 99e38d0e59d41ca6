"""Time limits: one for each phase, and one for the whole."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long a phase may take, in seconds, and the time of `time.monotonic()` when all must be over."""

    phase_seconds: float
    deadline: float

    def begin_phase(self) -> float:
        """The time of `time.monotonic()` by which a phase that begins now must be over."""
        return min(time.monotonic() + self.phase_seconds, self.deadline)


def seconds_left(until: float) -> float:
    """Seconds before `until`, a time of `time.monotonic()`; more than none.

    Raises:
        TimeoutError: none are left.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
