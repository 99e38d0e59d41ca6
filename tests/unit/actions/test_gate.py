"""What an account may do now, as workers that share its limits see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tocsin.actions.counted import MONTH_USED_UP, OVER_LIMIT
from tocsin.actions.gate import News
from tocsin.model.route import Route

from tests.unit.actions.gate_table import A_HUNDRED_A_MONTH, FREE, PERMANENT, REFUSED, THIRTY, Table
from tests.unit.model.examples import NOW, account


def test_what_one_worker_claims_no_other_has() -> None:
    table = Table()
    table.claim(table.gate(), 20)

    assert table.gate().room(THIRTY, 50) == 10
    assert table.gate().hindrance(THIRTY) is None


def test_what_was_claimed_and_not_used_is_there_for_the_others_even_after_some_seconds() -> None:
    table = Table()
    gate = table.gate()
    table.claim(gate, 30)
    table.now += timedelta(seconds=7)

    written, _ = gate.settle(THIRTY, claimed=30, used=12, worked=True, failure=None)
    table.write(gate, written)

    assert table.gate().room(THIRTY, 50) == 18


def test_a_window_that_used_all_it_claimed_at_once_writes_nothing_more() -> None:
    table = Table()
    gate = table.gate()
    table.claim(gate, 30)

    assert gate.settle(THIRTY, claimed=30, used=30, worked=True, failure=None) == ([], set())


def test_over_the_limit_new_ones_queue_up_and_those_that_waited_take_the_next_room() -> None:
    table = Table()
    gate = table.gate()
    table.claim(gate, 30)
    first, booking = gate.book(THIRTY, 100)
    table.write(gate, booking)
    second = table.gate().hindrance(THIRTY)
    waited = table.gate()
    waited.has_waited = True
    third = waited.hindrance(THIRTY)

    assert first == NOW + timedelta(seconds=65)
    assert second is not None
    assert (second.reply.text, second.until) == (OVER_LIMIT, NOW + timedelta(seconds=130))
    assert third is not None
    assert third.until == first
    assert waited.book(THIRTY, 100) == (first, [])


def test_one_that_waited_and_had_its_turn_queues_up_again() -> None:
    table = Table()
    table.claim(table.gate(), 30)
    one, other = table.gate(), table.gate()
    table.write(one, one.book(THIRTY, 100)[1])
    other.learn(table.items.values())
    table.write(other, other.book(THIRTY, 100)[1])
    table.now += timedelta(seconds=65)
    one = table.gate()
    one.has_waited = True

    table.claim(one, 30)
    one.settle(THIRTY, claimed=30, used=30, worked=True, failure=None)
    begin, _ = one.book(THIRTY, 70)

    assert begin == NOW + timedelta(seconds=195)  # behind the other, whose turn is at 130


def test_each_route_has_a_line_of_its_own() -> None:
    table = Table()
    bulk = table.gate(Route.STATUS_PAGE)
    table.claim(bulk, 30)
    for _ in range(20):
        table.write(bulk, bulk.book(THIRTY, 100)[1])

    hindrance = table.gate(Route.INCIDENT).hindrance(THIRTY)

    assert hindrance is not None
    assert hindrance.until == NOW + timedelta(seconds=65)


def test_a_month_that_is_used_up_waits_for_an_admin_or_the_next_one() -> None:
    table = Table()
    table.claim(table.gate(), 100, of=A_HUNDRED_A_MONTH)

    hindrance = table.gate().hindrance(A_HUNDRED_A_MONTH)

    assert hindrance is not None
    assert (hindrance.reply.text, hindrance.until) == (MONTH_USED_UP, None)


@pytest.mark.parametrize(("used", "warns"), [(100, True), (80, True), (79, False)])
def test_four_fifths_of_a_month_are_told_once_and_only_if_they_were_used(used: int, *, warns: bool) -> None:
    table, seen = Table(), []
    for _ in range(2):
        gate = table.gate()
        claimed = gate.room(A_HUNDRED_A_MONTH, 100)
        table.claim(gate, claimed, of=A_HUNDRED_A_MONTH)
        written, news = gate.settle(
            A_HUNDRED_A_MONTH, claimed=claimed, used=min(used, claimed), worked=True, failure=None
        )
        table.write(gate, written)
        seen.append(News.MONTH_NEARLY_USED in news)
        used = 0

    assert seen == [warns, False]


def test_an_account_without_limits_asks_for_no_count_and_claims_none() -> None:
    gate = Table().gate()

    assert not [key for key in gate.keys([FREE]) if key.startswith("rate#")]
    assert gate.claim(FREE, 50, logs_in=False) == []


def test_an_account_that_was_given_up_in_this_run_takes_nothing_more_of_it() -> None:
    table = Table()
    gate = table.gate()

    gate.give_up(FREE, REFUSED, PERMANENT)

    hindrance = gate.hindrance(FREE)
    assert hindrance is not None
    assert (hindrance.reply, hindrance.until) == (REFUSED, None)
    assert gate.room(FREE, 5) == 0
    assert gate.hindrance(account("second")) is None
    assert table.gate().hindrance(FREE) is None


def test_no_two_accounts_share_anything() -> None:
    gate = Table().gate()
    accounts = [
        account(id_, project_id=project, limits={"per_minute": 1})
        for id_ in ("first", "second")
        for project in ("acme", "other")
    ]

    keys = list(gate.keys(accounts))

    assert len(set(keys)) == len(keys)
