"""Where a function dies: at a line of ours, beside a call to AWS, or behind an octet to or from the relay."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from types import CodeType

type Kind = Literal["line", "call", "octet", "reply"]

KINDS: tuple[Kind, ...] = ("line", "call", "octet", "reply")
ROOT = Path(__file__).parents[2]
OURS = tuple(str(ROOT / folder) + os.sep for folder in ("functions", "layers/tocsin"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Die at this point, counted from 1.

    `line`: before the n-th line of our own code. `call`: before the k-th request to AWS leaves (n = 2k - 1), or when
    its answer has come (n = 2k). `octet`: when n octets have gone to the relay, `reply`: when n have come from it.
    """

    kind: Kind
    at: int


NEVER = Death(kind="line", at=sys.maxsize)
"""Behind any end: all lines are counted."""


class Steps:
    """Counts the calls of one process, and its lines if it is to die at one; kills it at the step that it was told."""

    def __init__(self) -> None:
        self.lines = 0
        self.calls: list[str] = []
        self._death: Death | None = None

    def watch(self, death: Death | None) -> None:
        """Begin to count, in all threads."""
        self._death = death
        if death is None or death.kind != "line":  # counting lines is slow
            return
        tool = sys.monitoring.DEBUGGER_ID
        sys.monitoring.use_tool_id(tool, "faults")
        sys.monitoring.register_callback(tool, sys.monitoring.events.LINE, self._line)
        sys.monitoring.set_events(tool, sys.monitoring.events.LINE)

    def call(self, event_name: str, **_: Any) -> None:  # noqa: ANN401  (botocore's handlers take what they like)
        """Note that a call is about to leave, or was answered."""
        self.calls.append(event_name)
        self._die_at("call", len(self.calls))

    def _line(self, code: CodeType, _: int) -> object:
        if not code.co_filename.startswith(OURS):
            return sys.monitoring.DISABLE
        self.lines += 1
        self._die_at("line", self.lines)
        return None

    def _die_at(self, kind: Kind, number: int) -> None:
        if self._death is not None and (self._death.kind, self._death.at) == (kind, number):
            os.kill(os.getpid(), signal.SIGKILL)
