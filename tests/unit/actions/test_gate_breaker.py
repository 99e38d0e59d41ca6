"""What an account may do after failures and refused logins, as workers that share its breaker see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tocsin.actions.gate import Hindrance, News

from tests.unit.actions.gate_table import DOWN, FREE, PERMANENT, REFUSED, F, Table, verdict
from tests.unit.model.examples import NOW, account


def test_three_failures_in_a_row_of_any_workers_open_the_breaker_and_are_told_once() -> None:
    table = Table()

    news = [table.fail() for _ in range(3)]

    hindrance = table.gate().hindrance(FREE)
    assert news == [set(), set(), {News.FAILING}]
    assert hindrance is not None
    assert (hindrance.reply.text, hindrance.until) == ("breaker_open", NOW + timedelta(seconds=30))
    assert hindrance.verdict == verdict()
    assert table.gate().room(FREE, 50) == 0


def test_a_success_in_between_begins_the_row_anew() -> None:
    table = Table()
    for _ in range(3):
        table.fail()
        table.fail()
        assert table.work() == set()

    assert table.gate().hindrance(FREE) is None


@pytest.mark.parametrize(
    "failure_class", [F.RECIPIENT_TRANSIENT, F.RECIPIENT_PERMANENT, F.MESSAGE_PERMANENT, F.CONFIG, F.AUTH_PERMANENT]
)
def test_what_is_not_the_accounts_health_never_opens_it(failure_class: F) -> None:
    table = Table()
    for _ in range(5):
        assert table.fail(failure=verdict(failure_class)) == set()

    assert table.gate().hindrance(FREE) is None


def test_once_the_pause_is_over_one_worker_tries_and_the_others_wait_for_it() -> None:
    table = Table()
    table.open()
    table.now += timedelta(seconds=30)
    one, other = table.gate(), table.gate()

    assert (one.room(FREE, 5), other.room(FREE, 5)) == (5, 5)
    table.claim(one, 5, of=FREE)
    with pytest.raises(AssertionError, match="another wrote"):
        table.claim(other, 5, of=FREE)
    other.lose(table.items.values())

    assert (one.room(FREE, 5), other.room(FREE, 5)) == (5, 0)
    hindrance = other.hindrance(FREE)
    assert hindrance is not None
    assert hindrance.until == table.now + timedelta(seconds=60)


def test_who_tries_one_account_waits_for_the_pause_of_another() -> None:
    table, fall_back = Table(), account("second")
    throttled = (DOWN, verdict(F.THROTTLED, wait_seconds=300))
    written, _ = table.gate().settle(fall_back, claimed=1, used=0, worked=False, failure=throttled)
    table.write(table.gate(), written)
    table.open()
    table.now += timedelta(seconds=30)
    one = table.gate()

    table.claim(one, 5, of=FREE)

    assert one.room(FREE, 5) == 5
    assert one.room(fall_back, 5) == 0
    assert one.hindrance(fall_back) == table.gate().hindrance(fall_back) is not None


@pytest.mark.parametrize("works", [True, False])
def test_the_try_closes_it_or_opens_it_for_longer(*, works: bool) -> None:
    table = Table()
    table.open()
    table.now += timedelta(seconds=30)

    news = table.work() if works else table.fail()

    hindrance = table.gate().hindrance(FREE)
    assert news == ({News.RECOVERED} if works else set())
    assert (hindrance.until if hindrance is not None else None) == (
        None if works else table.now + timedelta(seconds=60)
    )


def test_windows_that_fail_side_by_side_count_as_one_opening() -> None:
    table = Table()
    late = [table.gate() for _ in range(5)]
    table.open()
    for gate in late:
        gate.learn(table.items.values())  # they lost the race for the item
        written, news = gate.settle(FREE, claimed=1, used=0, worked=False, failure=(DOWN, verdict()))
        table.write(gate, written)
        assert news == set()

    hindrance = table.gate().hindrance(FREE)
    assert hindrance is not None
    assert hindrance.until == NOW + timedelta(seconds=30)


def test_a_window_that_began_before_it_opened_does_not_close_it() -> None:
    table = Table()
    late = table.gate()
    table.fail(failure=verdict(F.THROTTLED, wait_seconds=300))
    late.learn(table.items.values())

    assert late.settle(FREE, claimed=1, used=1, worked=True, failure=None) == ([], set())
    assert table.gate().hindrance(FREE) is not None


# --- Refused logins ---


def test_two_refused_logins_stop_all_and_say_what_the_relay_said() -> None:
    table = Table()

    news = table.refuse_twice()

    hindrance = table.gate().hindrance(FREE)
    assert news == [{News.LOGIN_REFUSED}, {News.FAILING}]
    assert hindrance is not None
    assert (hindrance.reply.text, hindrance.verdict, hindrance.until) == (REFUSED.text, PERMANENT, None)
    assert table.gate().room(FREE, 5) == 0


def test_after_one_refusal_the_next_login_waits_and_is_one_workers_alone() -> None:
    table = Table()
    table.fail(failure=PERMANENT, reply=REFUSED)
    assert table.gate().room(FREE, 1) == 0
    table.now += timedelta(seconds=30)
    one, other = table.gate(), table.gate()

    table.claim(one, 1, of=FREE, logs_in=True)
    with pytest.raises(AssertionError, match="another wrote"):
        table.claim(other, 1, of=FREE, logs_in=True)
    other.lose(table.items.values())

    assert (one.room(FREE, 1), other.room(FREE, 1)) == (1, 0)


def test_a_login_that_was_under_way_when_another_was_refused_is_the_second() -> None:
    table = Table()
    late = table.gate()
    table.claim(late, 1, of=FREE, logs_in=True)
    table.fail(failure=PERMANENT, reply=REFUSED)
    late.learn(table.items.values())

    written, news = late.settle(FREE, claimed=1, used=0, worked=False, failure=(REFUSED, PERMANENT))
    table.write(late, written)

    assert news == {News.FAILING}
    assert table.gate().hindrance(FREE) == Hindrance(reply=REFUSED, verdict=PERMANENT)


def test_nobody_logs_in_by_a_breaker_that_changed_meanwhile() -> None:
    table = Table()
    stale = table.gate()
    table.fail()

    with pytest.raises(AssertionError, match="another wrote"):
        table.claim(stale, 1, of=FREE, logs_in=True)
    table.claim(stale, 1, of=FREE, logs_in=False)  # whose session is open goes on


def test_a_network_that_fails_after_two_refusals_does_not_hide_them() -> None:
    table = Table()
    late = table.gate()
    table.refuse_twice()
    late.learn(table.items.values())

    assert late.settle(FREE, claimed=1, used=0, worked=False, failure=(DOWN, verdict())) == ([], set())


def test_a_credential_that_works_after_another_was_refused_is_a_recovery() -> None:
    table = Table()
    table.refuse_twice()
    renewed, gate = account(credential_version="v2"), table.gate()

    assert gate.hindrance(renewed) is None
    written, news = gate.settle(renewed, claimed=1, used=1, worked=True, failure=None)

    assert news == {News.RECOVERED, News.LOGIN_WORKS}
    assert [item.document for item in written] == [{}]
