"""One run of `Deliver`: how much time it has, and what it did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.custom_template import BrokenTemplate
    from tocsin.model.delivery import State


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How much of the function's time is left, in seconds."""

    seconds: Callable[[], float]
    monotonic: Callable[[], float]
    function_timeout: float

    def begins(self, timeout_seconds: float) -> bool:
        """Whether a chunk may begin: `timeout_seconds` + 10 s, or two thirds of a function whose time is shorter."""
        return self.seconds() >= min(timeout_seconds + 10, self.function_timeout * 2 / 3)

    def may_go_on(self) -> bool:
        """Whether one more mail may begin: 10 s, or a third of a function whose time is shorter."""
        return self.seconds() >= min(10.0, self.function_timeout / 3)

    @property
    def deadline(self) -> float:
        """When submissions end (monotonic seconds), so that the answers are journaled and the batch still answers."""
        return self.monotonic() + self.seconds() - min(5.0, self.function_timeout / 5)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one run did.

    `states` counts the deliveries by the state they reached, `chunks` those that a large event was cut into.
    `ids` say in the log what it was about. `without_last_resort` tells of a word to the admins that no account could
    carry; `broken_template` is how the project's own template failed, in place of which the built-in one went out.
    `come_back_at` is when something of the chunk is due again; None: never on
    its own. `rejected` is the reason code. `sent_again` names the error for which the message was queued anew.
    """

    states: Counter[State] = field(default_factory=Counter)
    chunks: int = 0
    without_last_resort: bool = False
    broken_template: BrokenTemplate | None = None
    ids: dict[str, str] = field(default_factory=dict)
    come_back_at: datetime | None = None
    rejected: str | None = None
    sent_again: str | None = None
