"""What is due, what waits and what is decided, before anything is submitted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.plan import Plan, make_plan
from tocsin.model.delivery import Entry, State

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from datetime import datetime

ANA = "ana@example.org"
MINUTE = timedelta(minutes=1)
LATER, EARLIER = NOW + MINUTE, NOW - MINUTE


def entry(state: State, *, retry_at: datetime | None = None) -> Entry:
    return Entry(recipient=ANA, state=state, attempt=1, message_id="<stored@acme.example>", retry_at=retry_at)


def plan(found: Entry | None, *, suppressed: bool = False, expires_at: datetime = NOW + timedelta(hours=6)) -> Plan:
    return make_plan(
        [ANA],
        {ANA: found} if found is not None else {},
        message_id=lambda recipient: f"<new.{recipient}>",
        suppressed={ANA} if suppressed else set(),
        ends_at=lambda _: expires_at,
        now=NOW,
    )


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(None, id="nothing-written-yet"),
        pytest.param(entry(State.QUEUED), id="queued"),
        pytest.param(entry(State.DEFERRED, retry_at=NOW), id="deferred-until-now"),
        pytest.param(entry(State.DEFERRED, retry_at=EARLIER), id="deferred-until-before"),
        pytest.param(entry(State.DEFERRED), id="deferred-without-a-time"),
        pytest.param(entry(State.SUBMITTING), id="left-from-a-crash"),
        pytest.param(entry(State.UNKNOWN, retry_at=EARLIER), id="unknown-to-be-resubmitted"),
    ],
)
def test_what_may_go_now_is_due_with_its_message_id(found: Entry | None) -> None:
    made = plan(found)

    [due] = made.due
    assert (made.decided, made.waiting_until) == ([], [])
    assert due.message_id == ("<stored@acme.example>" if found else f"<new.{ANA}>")
    assert due.stored is (found is not None)


@pytest.mark.parametrize("state", [State.DEFERRED, State.UNKNOWN])
def test_what_may_go_later_waits(state: State) -> None:
    assert plan(entry(state, retry_at=LATER)) == Plan(waiting_until=[LATER])


@pytest.mark.parametrize("suppressed", [False, True])
@pytest.mark.parametrize("expires_at", [EARLIER, LATER])
@pytest.mark.parametrize(
    "state",
    [
        State.ACCEPTED,
        State.REFUSED,
        State.PARKED,
        State.UNKNOWN,
        State.SUPPRESSED,
        State.EXPIRED,
        State.BOUNCED,
        State.COMPLAINED,
    ],
)
def test_what_has_come_to_an_end_or_waits_for_an_admin_is_left_alone(
    state: State,
    expires_at: datetime,
    *,
    suppressed: bool,
) -> None:
    assert plan(entry(state), suppressed=suppressed, expires_at=expires_at) == Plan()


@pytest.mark.parametrize("retry_at", [None, EARLIER, LATER])
@pytest.mark.parametrize(
    ("state", "suppressed", "expires_at", "decided"),
    [
        (State.QUEUED, True, LATER, State.SUPPRESSED),
        (State.DEFERRED, True, LATER, State.SUPPRESSED),
        (State.DEFERRED, True, EARLIER, State.SUPPRESSED),
        (State.QUEUED, False, NOW, State.EXPIRED),
        (State.QUEUED, False, EARLIER, State.EXPIRED),
        (State.DEFERRED, False, EARLIER, State.EXPIRED),
    ],
)
def test_the_suppressed_and_the_expired_are_decided_whatever_they_waited_for(
    state: State,
    suppressed: bool,  # noqa: FBT001  (a column of the table)
    expires_at: datetime,
    decided: State,
    retry_at: datetime | None,
) -> None:
    found = entry(state, retry_at=retry_at)

    made = plan(found, suppressed=suppressed, expires_at=expires_at)

    [change] = made.decided
    assert (change.before, change.state, change.attempt, change.retry_at) == (found, decided, 1, None)
    assert change.reply is not None
    assert change.reply.text == decided.value
    assert (made.due, made.waiting_until) == ([], [])


def test_what_a_crash_left_is_submitted_once_more_whatever_happened_meanwhile() -> None:
    found = entry(State.SUBMITTING)

    assert plan(found, suppressed=True, expires_at=EARLIER) == Plan(due=[found])


@pytest.mark.parametrize("retry_at", [EARLIER, LATER])
def test_an_unknown_outcome_is_not_submitted_after_its_useful_life(retry_at: datetime) -> None:
    [change] = plan(entry(State.UNKNOWN, retry_at=retry_at), expires_at=EARLIER).decided

    assert change.state is State.EXPIRED


def test_an_unknown_outcome_to_a_suppressed_address_waits_for_its_end() -> None:
    assert plan(entry(State.UNKNOWN, retry_at=EARLIER), suppressed=True, expires_at=LATER) == Plan(
        waiting_until=[LATER]
    )
