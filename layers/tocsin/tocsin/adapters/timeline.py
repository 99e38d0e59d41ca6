"""The timeline of a session that is watched: the phases it reached, how long each took, and what was learnt there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tocsin.adapters.failures import Mishap
from tocsin.model.step_report import Finding, Step, step_of

if TYPE_CHECKING:
    from tocsin.model.reply import Phase, Reply

_ROUNDING_SECONDS = 0.02  # a wait that ends at the deadline may end a moment before it


class Timeline:
    """A watch that keeps it all. `deadline` (monotonic seconds) tells a wait that was cut from one that was too long.

    With `step` it is all of that one.
    """

    def __init__(self, *, deadline: float, step: Step | None = None) -> None:
        self._deadline = deadline
        self._step = step
        self._seconds: dict[Step, float] = {}
        self._replies: dict[Step, tuple[Reply, bool]] = {}
        self._details: dict[Step, dict[str, Any]] = {}
        self._current: Step | None = None
        self._since = 0.0

    def reached(self, phase: Phase) -> None:
        """Begin to count."""
        self._count()
        self._current = self._step_of(phase)

    def stop(self) -> None:
        """Count no more: what follows is of no step."""
        self._count()
        self._current = None

    def learnt(self, phase: Phase, reply: Reply | None = None, **details: object) -> None:
        """Keep the last reply, and all details."""
        step = self._step_of(phase)
        self._seconds.setdefault(step, 0.0)
        self._details.setdefault(step, {}).update(details)
        if reply is not None:
            self._replies[step] = reply, self._is_cut(reply)

    def findings(self) -> list[Finding]:
        """What was found out so far, in the order of the steps."""
        self._count()
        return [self._finding(step) for step in Step if step in self._seconds]

    def _finding(self, step: Step) -> Finding:
        reply, is_cut = self._replies.get(step, (None, False))
        return Finding(
            step=step,
            seconds=self._seconds[step],
            reply=reply,
            is_cut=is_cut,
            details=self._details.get(step, {}),
        )

    def _count(self) -> None:
        now = time.monotonic()
        if self._current is not None:
            self._seconds[self._current] = self._seconds.get(self._current, 0.0) + now - self._since
        self._since = now

    def _is_cut(self, reply: Reply) -> bool:
        is_late = time.monotonic() >= self._deadline - _ROUNDING_SECONDS
        return is_late and reply.code is None and Mishap.TIMED_OUT in reply.text

    def _step_of(self, phase: Phase) -> Step:
        return self._step or step_of(phase)
