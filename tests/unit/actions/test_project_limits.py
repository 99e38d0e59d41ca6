"""A project's own limits: they hold beside those of its accounts, over all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.choose_account import Unusable, Usable, Waiting, choose_account
from tocsin.actions.counted import MONTH_USED_UP, OVER_LIMIT, PROJECT_MONTH_USED_UP, PROJECT_OVER_LIMIT
from tocsin.actions.gate import Gate, News
from tocsin.model.route import Route
from tocsin.model.shared_item import SharedItem

from tests.unit.model.examples import NOW, account, notification, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount

type Limits = dict[str, int]

MINUTE = timedelta(seconds=65)  # as exactly as mails are counted
SYSTEM = account("system", project_id="_system")


@dataclass
class Table:
    """EphemeralTable, the time, and a project with limits of its own."""

    limits: Limits
    now: datetime = NOW
    items: dict[str, SharedItem] = field(default_factory=dict)

    def gate(self) -> Gate:
        project = settings(limits=self.limits).project
        gate = Gate(
            limits=lambda one: one.limits,
            project=project,
            route=Route.INCIDENT,
            clock=lambda: self.now,
            jitter=lambda: 0.0,
        )
        gate.learn(self.items.values())
        return gate

    def write(self, gate: Gate, items: Iterable[SharedItem]) -> None:
        written = list(items)
        for item in written:
            assert self.items.get(item.key, SharedItem(key=item.key)).version == item.version - 1
        self.items.update((item.key, item) for item in written)
        gate.learn(written)

    def send(self, mails: int, by: MailAccount, *, used: int | None = None) -> set[News]:
        gate = self.gate()
        self.write(gate, gate.claim(by, mails, logs_in=False))
        used = mails if used is None else used
        written, news = gate.settle(by, claimed=mails, used=used, worked=True, failure=None)
        self.write(gate, written)
        return news


class EveryoneLogsIn:
    """Every account has what it needs."""

    def credential(self, one: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential | None]:
        del deadline
        return one, None


def _choice(table: Table, *accounts: MailAccount) -> Usable | Waiting | Unusable:
    one = notification()
    return choose_account(one, accounts, EveryoneLogsIn(), table.gate(), patient_until=NOW + MINUTE * 2, deadline=0)  # type: ignore[arg-type]  # a stand-in for the action


@pytest.mark.parametrize(
    ("project", "of_account", "room"),
    [
        pytest.param({"per_minute": 10}, {}, 10, id="the-project-s-alone"),
        pytest.param({"per_minute": 10}, {"per_minute": 4}, 4, id="the-account-s-is-lower"),
        pytest.param({"per_minute": 10}, {"per_minute": 40}, 10, id="the-project-s-is-lower"),
        pytest.param({"per_day": 7, "per_minute": 10}, {"per_month": 9}, 7, id="of-other-periods"),
        pytest.param({}, {}, 50, id="nobody-s"),
    ],
)
def test_the_lowest_limit_holds(project: Limits, of_account: Limits, room: int) -> None:
    assert Table(project).gate().room(account(limits=of_account), 50) == room


def test_what_one_account_sent_no_other_account_of_the_project_may() -> None:
    table = Table({"per_minute": 10})
    table.send(4, account("first"))
    table.send(3, SYSTEM)

    assert table.gate().room(account("second"), 50) == 3


def test_what_was_claimed_and_not_used_is_there_for_the_others() -> None:
    table = Table({"per_minute": 10})
    table.send(10, account("first"), used=2)

    assert table.gate().room(account("second"), 50) == 8


def test_a_project_over_its_limit_waits_with_every_account_until_there_is_room() -> None:
    table = Table({"per_minute": 10})
    table.send(10, account("first"))

    found = _choice(table, account("first"), account("second"))

    assert isinstance(found, Waiting)
    assert (found.reply.text, found.until) == (PROJECT_OVER_LIMIT, NOW + MINUTE)
    table.now = found.until
    assert isinstance(_choice(table, account("first")), Usable)


def test_of_both_limits_the_later_one_says_when_and_why() -> None:
    table = Table({"per_minute": 10})
    slow = account(limits={"per_day": 10})
    table.send(10, slow)

    hindrance = table.gate().hindrance(slow)

    assert hindrance is not None
    assert (hindrance.reply.text, hindrance.is_of_project) == (OVER_LIMIT, False)
    assert hindrance.until is not None
    assert hindrance.until > NOW + timedelta(hours=23)


def test_those_that_wait_join_the_line_of_the_limit_that_is_full_and_no_other() -> None:
    table, first = Table({"per_minute": 10}), account(limits={"per_minute": 100})
    table.send(10, first)
    gate = table.gate()

    until, booking = gate.book(first, 20)
    table.write(gate, booking)

    assert (until, [item.key for item in booking]) == (NOW + MINUTE, ["rate#acme"])
    later = table.gate().hindrance(first)
    assert later is not None
    assert later.until == NOW + MINUTE * 2


def test_a_project_s_month_that_is_used_up_parks_without_an_account() -> None:
    table = Table({"per_month": 10})
    table.send(10, account("first"))

    found = _choice(table, account("first"), account("second"))

    assert isinstance(found, Unusable)
    assert (found.account, found.reply.text) == (None, PROJECT_MONTH_USED_UP)


def test_an_account_s_month_that_is_used_up_parks_for_that_account_and_lets_the_next_one_send() -> None:
    table = Table({"per_month": 100})
    first = account("first", limits={"per_month": 10})
    table.send(10, first)

    alone, beside = _choice(table, first), _choice(table, first, account("second"))

    assert isinstance(alone, Unusable)
    assert (alone.account, alone.reply.text) == (first, MONTH_USED_UP)
    assert isinstance(beside, Usable)
    assert beside.account.id == "second"


@pytest.mark.parametrize(("by", "told"), [(account("first"), 1), (SYSTEM, 0)])
def test_four_fifths_of_a_project_s_month_are_told_once_by_an_account_of_its_own(by: MailAccount, told: int) -> None:
    table = Table({"per_month": 10})

    news = [table.send(8, by), table.send(1, by)]

    assert [News.PROJECT_MONTH_NEARLY_USED in one for one in news].count(True) == told
    assert table.send(1, account("second")) == (set() if told else {News.PROJECT_MONTH_NEARLY_USED})


def test_the_project_s_count_is_read_once_and_only_where_it_has_limits() -> None:
    accounts = [account("first"), account("second")]

    assert [key for key in Table({"per_day": 1}).gate().keys(accounts) if key.startswith("rate")] == ["rate#acme"]
    assert not [key for key in Table({}).gate().keys(accounts) if key.startswith("rate")]
