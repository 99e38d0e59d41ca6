"""What a window shares with other workers: limits, connections and the breaker, read and written beside its mails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.storm import Storm
from tocsin.errors import TransientError
from tocsin.model.delivery import State
from tocsin.model.rate import Rate
from tocsin.model.remedy import FailureClass
from tocsin.model.reply import Phase
from tocsin.model.shared_item import SharedItem, shared_key
from tocsin.model.storm import StormControl

from tests.unit.actions.fakes import (
    ACCEPTED,
    FakeJournal,
    FakeSession,
    failure,
)
from tests.unit.actions.windows import items, states, window
from tests.unit.model.examples import NOW, account, notification

if TYPE_CHECKING:
    from tocsin.actions.submit_window import Window
    from tocsin.model.mail_account import MailAccount

F = FailureClass
S = State


def limited(journal: FakeJournal, session: FakeSession, *, per_minute: int = 30) -> Window:
    """A window of an account with a limit."""
    one = window(session, journal)
    one.account = account(limits={"per_minute": per_minute})
    return one


def used_up(one: MailAccount, mails: int) -> SharedItem:
    """What stands once another worker claimed so many mails."""
    rate = Rate.of({}, one.limits, NOW).submitted(mails, NOW)
    return SharedItem(key=shared_key("rate", one), version=1, document=rate.document())


def room_left(journal: FakeJournal, one: Window) -> int | None:
    """What the last count that was written leaves."""
    key = shared_key("rate", one.account)
    written = [item for beside in journal.beside for item in beside if item.key == key]
    return Rate.of(written[-1].document, one.account.limits, NOW).room(NOW)


def test_what_finds_no_room_is_left_and_not_told() -> None:
    journal, session = FakeJournal(), FakeSession()

    submitted = limited(journal, session, per_minute=3).submit(items(5), last=True)

    assert len(session.told) == 3
    assert [item.entry.recipient for item in submitted.left] == ["p3@example.org", "p4@example.org"]
    assert [last for _, last in journal.writes] == [False, False]


def test_a_lost_race_is_reckoned_anew_with_what_the_winner_left() -> None:
    journal, session = FakeJournal(), FakeSession()
    one = limited(journal, session)
    journal.races = [[used_up(one.account, 28)]]

    submitted = one.submit(items(5), last=True)

    assert len(session.told) == 2
    assert len(submitted.left) == 3
    assert room_left(journal, one) == 0


def test_a_race_for_the_last_room_that_is_lost_begins_nothing() -> None:
    journal, session = FakeJournal(), FakeSession()
    one = limited(journal, session)
    journal.races = [[used_up(one.account, 30)]]

    submitted = one.submit(items(5), last=True)

    assert session.told == []
    assert submitted.changes == []
    assert len(submitted.left) == 5


@pytest.mark.parametrize("mails", [20, 21])  # which is more than are counted in one write with their mails
def test_whoever_found_no_room_in_a_lost_race_is_not_counted_as_mailed(mails: int) -> None:
    journal, counts = FakeJournal(), dict[str, SharedItem]()
    one = limited(journal, FakeSession())
    one.counts = Storm(
        notification=notification(),
        control=StormControl(),
        clock=lambda: NOW,
        jitter=lambda: 0.0,
        write_ahead=lambda written: counts.update((item.key, item) for item in written),
    )
    journal.races = [[used_up(one.account, 28)]]

    submitted = one.submit(items(mails), last=True)

    counts.update((item.key, item) for beside in journal.beside for item in beside if item.key.startswith("storm#"))
    assert len(submitted.changes) == 2
    assert sum(item.document["in_all"] for item in counts.values()) == 2


def test_where_others_are_always_quicker_nothing_is_told() -> None:
    journal, session = FakeJournal(), FakeSession()
    one = limited(journal, session)
    journal.races = [[used_up(one.account, number)] for number in range(5)]

    with pytest.raises(TransientError):
        one.submit(items(5), last=True)

    assert session.told == []
    assert journal.writes == []


def test_what_was_claimed_and_not_told_is_given_back() -> None:
    journal, session = FakeJournal(), FakeSession(replies=[ACCEPTED, failure(F.NETWORK)])
    one = limited(journal, session)

    one.submit(items(10), last=True)

    assert room_left(journal, one) == 30 - 2


@pytest.mark.parametrize(("phase", "room"), [(Phase.CONNECT, 30), (Phase.AUTH, 30), (Phase.MAIL, 29), (Phase.RCPT, 29)])
def test_only_mails_that_the_relay_heard_of_count(phase: Phase, room: int) -> None:
    journal = FakeJournal()
    one = limited(journal, FakeSession(replies=[replace(failure(F.NETWORK), phase=phase)]))

    one.submit(items(1), last=True)

    assert room_left(journal, one) == room


def test_the_answers_are_journaled_though_others_are_always_quicker() -> None:
    session = FakeSession()
    journal = FakeJournal()
    one = limited(journal, session)
    session.before_each = lambda: journal.races.extend([[used_up(one.account, 30)]] * 5)

    submitted = one.submit(items(2), last=True)

    assert states(submitted.changes) == [(S.ACCEPTED, 1)] * 2
    assert states(journal.writes[-1][0]) == [(S.ACCEPTED, 1)] * 2
    assert journal.beside[-1] == []


@pytest.mark.parametrize(("is_open", "checked"), [(False, True), (True, False)])
def test_only_a_login_asks_that_the_breaker_stands_as_it_was_read(*, is_open: bool, checked: bool) -> None:
    journal = FakeJournal()

    window(FakeSession(is_open=is_open), journal).submit(items(1), last=True)

    asked = [item for item in journal.beside[0] if item.key.startswith("breaker#")]
    assert [item.is_checked_only for item in asked] == [True] * checked
