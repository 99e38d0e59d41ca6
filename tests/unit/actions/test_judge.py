"""From a reply to the next state: attempts, times, and whether the other mails would fare better."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.judge import concerns_the_rest
from tocsin.model.delivery import State
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.route import Route

from tests.unit.actions.fakes import ACCEPTED, LOST, FakeRemedies, entry, failure, judge
from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from tocsin.model.delivery import Entry

F = FailureClass
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def verdict(failure_class: FailureClass) -> Verdict:
    return Verdict(failure_class=failure_class, remedy_id="x", remedy="Help.")


def test_an_accepted_mail_needs_no_remedy_and_no_further_try() -> None:
    remedies = FakeRemedies()

    change = judge(remedies=remedies).change(entry(attempt=3), ACCEPTED, account=account(), now=NOW)

    assert (change.state, change.attempt, change.retry_at, change.verdict) == (State.ACCEPTED, 3, None, None)
    assert (change.mail_account_id, change.reply) == ("first", ACCEPTED)
    assert remedies.asked == []


@pytest.mark.parametrize(
    ("failure_class", "told", "state", "attempt"),
    [
        (F.RECIPIENT_PERMANENT, True, State.REFUSED, 3),
        (F.MESSAGE_PERMANENT, True, State.REFUSED, 3),
        (F.RECIPIENT_TRANSIENT, True, State.DEFERRED, 3),
        (F.THROTTLED, True, State.DEFERRED, 3),
        (F.NETWORK, True, State.DEFERRED, 3),
        (F.AUTH_TRANSIENT, True, State.DEFERRED, 3),
        (F.AUTH_PERMANENT, True, State.PARKED, 2),
        (F.CONFIG, True, State.PARKED, 2),
        (F.THROTTLED, False, State.DEFERRED, 2),
        (F.NETWORK, False, State.DEFERRED, 2),
        (F.CONFIG, False, State.PARKED, 2),
    ],
)
def test_an_attempt_is_spent_only_on_a_mail_that_the_relay_was_told_of_and_never_by_parking(
    failure_class: FailureClass, *, told: bool, state: State, attempt: int
) -> None:
    change = judge().change(entry(attempt=3), failure(failure_class), account=account(), now=NOW, told=told)

    assert (change.state, change.attempt) == (state, attempt)


@pytest.mark.parametrize(
    ("before", "state", "attempt"),
    [
        (entry(State.QUEUED, attempt=0), State.PARKED, 0),
        (entry(State.DEFERRED, attempt=2), State.PARKED, 2),
        (entry(State.SUBMITTING, attempt=2), State.PARKED, 1),
        (replace(entry(State.SUBMITTING, attempt=2), is_left=True), State.PARKED, 2),
    ],
)
def test_what_was_not_submitted_is_parked_with_the_attempts_it_had(before: Entry, state: State, attempt: int) -> None:
    change = judge().change(before, failure(F.CONFIG), account=None, now=NOW)

    assert (change.state, change.attempt, change.mail_account_id) == (state, attempt, None)


def test_a_deferred_delivery_that_can_no_longer_be_composed_waits_for_its_end() -> None:
    change = judge().change(entry(State.DEFERRED, attempt=2), failure(F.MESSAGE_PERMANENT), account=account(), now=NOW)

    assert (change.state, change.attempt, change.retry_at) == (State.DEFERRED, 2, NOW + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("attempt", "hint", "expires_in", "waits"),
    [
        pytest.param(1, None, DAY, 10, id="first"),
        pytest.param(4, None, DAY, 120, id="fourth"),
        pytest.param(0, None, DAY, 10, id="none-spent"),
        pytest.param(1, 300, DAY, 300, id="longer-as-asked"),
        pytest.param(4, 5, DAY, 120, id="never-shorter"),
        pytest.param(1, 86_400, timedelta(hours=1), 3600, id="not-beyond-its-useful-life"),
        pytest.param(1, None, timedelta(seconds=4), 4, id="not-beyond-its-useful-life-by-seconds"),
        pytest.param(1, None, timedelta(seconds=-60), 0, id="its-useful-life-is-over"),
    ],
)
def test_the_next_try_comes_after_a_wait_and_within_the_useful_life(
    attempt: int, hint: int | None, expires_in: timedelta, waits: int
) -> None:
    judged = judge(remedies=FakeRemedies(wait_seconds=hint), expires_at=NOW + expires_in)

    change = judged.change(entry(attempt=attempt), failure(F.RECIPIENT_TRANSIENT), account=account(), now=NOW)

    assert change.retry_at == NOW + timedelta(seconds=waits)


@pytest.mark.parametrize("expires_at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_the_next_try_is_told_in_utc_wherever_the_end_was_set(expires_at: str) -> None:
    judged = judge(expires_at=datetime.fromisoformat(expires_at))

    change = judged.change(entry(), failure(F.NETWORK), account=account(), now=NOW)

    assert change.retry_at is not None
    assert change.retry_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("route", "resubmit_unknown", "resubmitted", "again"),
    [
        (Route.INCIDENT, False, False, True),
        (Route.ALERT, False, False, True),
        (Route.SYSTEM, False, False, True),
        (Route.STATUS_PAGE, False, False, False),
        (Route.STATUS_PAGE, True, False, True),
        (Route.INCIDENT, False, True, False),
        (Route.STATUS_PAGE, True, True, False),
    ],
)
def test_an_unknown_outcome_is_submitted_once_more_after_a_minute_or_held(
    route: Route, *, resubmit_unknown: bool, resubmitted: bool, again: bool
) -> None:
    judged = judge(route=route, resubmit_unknown=resubmit_unknown)

    change = judged.change(entry(resubmitted=resubmitted), LOST, account=account(), now=NOW)

    assert change.state is State.UNKNOWN
    assert change.retry_at == (NOW + timedelta(seconds=60) if again else None)


@pytest.mark.parametrize(
    ("with_account", "asked"), [(True, ("password", 587, "relay.example")), (False, ("none", None, None))]
)
def test_the_remedy_is_asked_for_the_account_at_hand(
    *, with_account: bool, asked: tuple[str, int | None, str | None]
) -> None:
    remedies = FakeRemedies()

    judge(remedies=remedies).verdict(failure(F.CONFIG), account() if with_account else None)

    assert remedies.asked == [asked]


@pytest.mark.parametrize(
    ("failure_class", "code", "earlier_throttles", "concerns"),
    [
        (F.THROTTLED, 432, 0, True),
        (None, 250, 0, False),
        (None, 250, 5, False),
        (F.RECIPIENT_PERMANENT, 550, 5, False),
        (F.RECIPIENT_TRANSIENT, 450, 5, False),
        (F.MESSAGE_PERMANENT, 554, 5, False),
        (F.THROTTLED, 451, 0, False),
        (F.THROTTLED, 451, 1, True),
        (F.THROTTLED, 421, 0, True),
        (F.NETWORK, None, 0, True),
        (F.UNKNOWN, None, 0, True),
        (F.AUTH_PERMANENT, 535, 0, True),
        (F.AUTH_TRANSIENT, 454, 0, True),
        (F.CONFIG, 553, 0, True),
    ],
)
def test_what_is_a_matter_of_the_account_concerns_the_rest(
    failure_class: FailureClass | None, code: int | None, earlier_throttles: int, *, concerns: bool
) -> None:
    reply = Reply(phase=Phase.RCPT, code=code, text="x")

    found = concerns_the_rest(
        verdict(failure_class) if failure_class else None, reply, earlier_throttles=earlier_throttles
    )

    assert found is concerns


@pytest.mark.parametrize(
    ("route", "expires_in", "revived_ago", "ends_in"),
    [
        pytest.param(Route.INCIDENT, -DAY, None, -DAY, id="never-re-driven"),
        pytest.param(Route.INCIDENT, -DAY, HOUR, 5 * HOUR, id="a-family-with-six-hours"),
        pytest.param(Route.STATUS_PAGE, -DAY, HOUR, 23 * HOUR, id="a-family-with-a-day"),
        pytest.param(Route.INCIDENT, 3 * DAY, HOUR, 3 * DAY, id="its-own-life-is-longer"),
    ],
)
def test_a_re_drive_gives_a_delivery_its_family_s_useful_life_anew(
    route: Route, expires_in: timedelta, revived_ago: timedelta | None, ends_in: timedelta
) -> None:
    revived = replace(entry(attempt=90), revived_at=NOW - revived_ago if revived_ago is not None else None)
    judged = judge(route=route, expires_at=NOW + expires_in)

    assert judged.ends_at(revived) == NOW + ends_in
    change = judged.change(revived, failure(F.NETWORK), account=account(), now=NOW)
    assert change.retry_at == NOW + max(min(ends_in, HOUR), timedelta(0))
    assert change.after.revived_at == revived.revived_at


def test_a_code_that_is_of_no_use_any_more_gets_no_new_life() -> None:
    revived = replace(entry(attempt=90), revived_at=NOW - HOUR)
    judged = replace(judge(route=Route.SYSTEM, expires_at=NOW - DAY), is_perishable=True)

    assert judged.ends_at(revived) == NOW - DAY


@pytest.mark.parametrize(("enhanced", "concerns"), [("4.7.500", True), ("4.2.1", False), (None, False)])
def test_a_throttle_by_policy_is_a_matter_of_the_account(enhanced: str | None, *, concerns: bool) -> None:
    reply = Reply(phase=Phase.MAIL, code=451, enhanced=enhanced, text="Server busy")

    assert concerns_the_rest(verdict(F.THROTTLED), reply, earlier_throttles=0) is concerns


@pytest.mark.parametrize(("goes_by_any", "parked_for"), [(False, "first"), (True, None)])
def test_what_goes_by_any_account_is_parked_for_none(*, goes_by_any: bool, parked_for: str | None) -> None:
    one = replace(judge(), goes_by_any=goes_by_any)

    parked = one.change(entry(), failure(FailureClass.AUTH_PERMANENT), account=account(), now=NOW)
    deferred = one.change(entry(), failure(FailureClass.NETWORK), account=account(), now=NOW)

    assert (parked.state, parked.mail_account_id) == (State.PARKED, parked_for)
    assert (deferred.state, deferred.mail_account_id) == (State.DEFERRED, "first")
