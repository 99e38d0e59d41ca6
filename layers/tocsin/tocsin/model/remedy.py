"""Failures: their class, and what the project's admin should do about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tocsin.model.condition import Circumstances, Condition, Failure, Service
from tocsin.model.delivery import State
from tocsin.model.wait_hint import wait_hint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.model.reply import Reply


class FailureClass(StrEnum):
    """What the sender does about a failure (reference table in `data/remedies.toml`)."""

    AUTH_PERMANENT = "auth-permanent"  # park, no attempt is used
    AUTH_TRANSIENT = "auth-transient"  # try again
    THROTTLED = "throttled"  # try again, later
    RECIPIENT_PERMANENT = "recipient-permanent"  # refuse this recipient
    RECIPIENT_TRANSIENT = "recipient-transient"  # try this recipient again
    MESSAGE_PERMANENT = "message-permanent"  # refuse this message
    CONFIG = "config"  # park until the settings change
    NETWORK = "network"  # try again
    UNKNOWN = "unknown"  # the message may have been delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The class of a failure, the id of the row that decided it, and the remedy for the admin.

    `wait_seconds` is the shortest sensible wait before another try, where the row or the reply's own text names one.
    """

    failure_class: FailureClass
    remedy_id: str
    remedy: str
    wait_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the remedies: which failure it knows, and what it says of it.

    `service` None means any. `refresh_first`: while the token may still be renewed, the failure is only transient.
    """

    id: str
    service: Service | None
    condition: Condition
    failure_class: FailureClass
    remedy: str
    wait_seconds: int | None = None
    refresh_first: bool = False

    def speaks_of(self, failure: Failure) -> bool:
        """Whether the row knows `failure`."""
        return self._serves(failure) and self.condition.holds(failure)

    def _serves(self, failure: Failure) -> bool:
        match self.service:
            case None:
                return True
            case Service.TRANSPORT | Service.OWN:
                return failure.code is None  # a server that quotes our words is still a server
            case _:
                return self.service is failure.circumstances.service


_STATES = {
    FailureClass.AUTH_PERMANENT: State.PARKED,
    FailureClass.CONFIG: State.PARKED,
    FailureClass.AUTH_TRANSIENT: State.DEFERRED,
    FailureClass.THROTTLED: State.DEFERRED,
    FailureClass.RECIPIENT_TRANSIENT: State.DEFERRED,
    FailureClass.NETWORK: State.DEFERRED,
    FailureClass.RECIPIENT_PERMANENT: State.REFUSED,
    FailureClass.MESSAGE_PERMANENT: State.REFUSED,
    FailureClass.UNKNOWN: State.UNKNOWN,
}


def state_for(failure_class: FailureClass) -> State:
    """The state of a delivery that failed so."""
    return _STATES[failure_class]


def match_order(rows: Iterable[Row], defaults: Iterable[Row]) -> tuple[Row, ...]:
    """All rows in the order to try them: the narrowest first, then the defaults by phase as they stand.

    Phase is a condition like the others, so what a phase does not know is never asked there.
    """
    return (*sorted(rows, key=lambda row: row.condition.specificity, reverse=True), *defaults)


def decide(reply: Reply, rows: Iterable[Row], circumstances: Circumstances) -> Verdict:
    """What the first of `rows` that knows `reply` says of it; the last row must know every failure."""
    failure = Failure.of(reply, circumstances)
    row = next(row for row in rows if row.speaks_of(failure))
    failure_class = _class_of(row, circumstances)
    return Verdict(
        failure_class=failure_class,
        remedy_id=row.id,
        remedy=row.remedy,
        wait_seconds=_wait_seconds(row, failure) if state_for(failure_class) is State.DEFERRED else None,
    )


def _class_of(row: Row, circumstances: Circumstances) -> FailureClass:
    if row.refresh_first and not circumstances.token_is_fresh:
        return FailureClass.AUTH_TRANSIENT
    return row.failure_class


def _wait_seconds(row: Row, failure: Failure) -> int | None:
    hint = wait_hint(failure.text)
    return row.wait_seconds if hint is None else hint
