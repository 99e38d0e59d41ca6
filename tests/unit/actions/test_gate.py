"""What an account may do now, as workers that share its limits and its breaker see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.counted import MONTH_USED_UP, OVER_LIMIT
from tocsin.actions.gate import Gate, Hindrance, News
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.route import Route
from tocsin.model.shared_item import SharedItem

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.model.mail_account import MailAccount

F = FailureClass
THIRTY = account(limits={"per_minute": 30})
A_HUNDRED_A_MONTH = account(limits={"per_month": 100})
FREE = account()
DOWN = Reply(phase=Phase.CONNECT, code=None, text="timed out")
REFUSED = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="bad credentials")
PERMANENT = Verdict(failure_class=F.AUTH_PERMANENT, remedy_id="login-refused", remedy="Check the password.")


def verdict(failure_class: F = F.NETWORK, *, wait_seconds: int | None = None) -> Verdict:
    return Verdict(failure_class=failure_class, remedy_id="row", remedy="Help.", wait_seconds=wait_seconds)


@dataclass
class Table:
    """EphemeralTable, and the time: what one gate writes, another that is made later reads."""

    now: datetime = NOW
    items: dict[str, SharedItem] = field(default_factory=dict)

    def gate(self, route: Route = Route.INCIDENT) -> Gate:
        gate = Gate(limits=lambda one: one.limits, route=route, clock=lambda: self.now, jitter=lambda: 0.0)
        gate.learn(self.items.values())
        return gate

    def write(self, gate: Gate, items: Iterable[SharedItem]) -> None:
        written = list(items)
        for item in written:
            before = self.items.get(item.key, SharedItem(key=item.key)).version
            assert before == (item.version if item.is_checked_only else item.version - 1), "another wrote meanwhile"
        self.items.update((item.key, item) for item in written if not item.is_checked_only)
        gate.learn(written)

    def claim(self, gate: Gate, mails: int, *, of: MailAccount = THIRTY, logs_in: bool = False) -> None:
        self.write(gate, gate.claim(of, mails, logs_in=logs_in))

    def fail(self, *, failure: Verdict | None = None, reply: Reply = DOWN, gate: Gate | None = None) -> set[News]:
        """A window of the account without limits that failed."""
        gate = gate or self.gate()
        self.write(gate, gate.claim(FREE, 1, logs_in=True))
        written, news = gate.settle(FREE, claimed=1, used=0, worked=False, failure=(reply, failure or verdict()))
        self.write(gate, written)
        return news

    def work(self, gate: Gate | None = None) -> set[News]:
        """A window of the account without limits that worked."""
        gate = gate or self.gate()
        self.write(gate, gate.claim(FREE, 1, logs_in=True))
        written, news = gate.settle(FREE, claimed=1, used=1, worked=True, failure=None)
        self.write(gate, written)
        return news

    def refuse_twice(self) -> list[set[News]]:
        """Two logins that are refused, as soon as they may be."""
        first = self.fail(failure=PERMANENT, reply=REFUSED)
        self.now += timedelta(seconds=30)
        return [first, self.fail(failure=PERMANENT, reply=REFUSED)]

    def open(self) -> None:
        for _ in range(3):
            self.fail()


# --- Limits ---


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


# --- The breaker ---


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
