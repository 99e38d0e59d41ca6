"""An account's limits hold in every rolling minute and day and in every month, whatever is submitted when."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.mail_account import Limits
from tocsin.model.rate import Rate, next_month

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def rate(at: datetime = NOW, **limits: int | None) -> Rate:
    """The rate of an account that submitted nothing."""
    return Rate.of({}, Limits(**limits), at)


def again(one: Rate, at: datetime) -> Rate:
    """The rate as another worker reads it."""
    return Rate.of(json.loads(json.dumps(one.document())), one.limits, at)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Work:
    """A window: it begins so many seconds after the one before, wants so many mails, and lasts so long.

    `sent` of ten are told to the relay, at `moments` of the window's length.
    """

    gap: float
    wanted: int
    lasts: float
    sent: int
    moments: Sequence[float]


@dataclass
class Account:
    """Workers of one account, side by side. `sent` are the moments at which the relay heard of a mail."""

    rate: Rate
    now: datetime = NOW
    sent: list[datetime] = field(default_factory=list)
    open: list[tuple[datetime, int, int, datetime]] = field(default_factory=list)

    def do(self, works: Iterable[Work]) -> None:
        for work in works:
            self._settle_until(self.now + timedelta(seconds=work.gap))
            self._begin(work)
        self._settle_until(datetime.max.replace(tzinfo=UTC))

    def _begin(self, work: Work) -> None:
        self.rate = again(self.rate, self.now)
        claimed = min(work.wanted, self.rate.room(self.now) or 0)
        self.rate = self.rate.submitted(claimed, self.now)
        used = claimed * work.sent // 10
        for index in range(used):
            moment = work.moments[index % len(work.moments)] * work.lasts
            self.sent.append(self.now + timedelta(seconds=moment))
        self.open.append((self.now + timedelta(seconds=work.lasts), claimed, used, self.now))

    def _settle_until(self, moment: datetime) -> None:
        for done_at, claimed, used, claimed_at in sorted(one for one in self.open if one[0] <= moment):
            self.rate = again(self.rate, done_at).settled(
                claimed=claimed, used=used, claimed_at=claimed_at, now=done_at
            )
        self.open = [one for one in self.open if one[0] > moment]
        self.now = moment


def works(longest_gap: float, *, longest: float = 60.0) -> st.SearchStrategy[list[Work]]:
    work = st.builds(
        Work,
        gap=st.floats(0, longest_gap),
        wanted=st.integers(1, 60),
        lasts=st.floats(0, longest),
        sent=st.sampled_from((0, 3, 10)),
        moments=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    )
    return st.lists(work, max_size=40)


def most_within(moments: Iterable[datetime], length: timedelta) -> int:
    """The most mails in any period of the length."""
    window: deque[datetime] = deque()
    most = 0
    for moment in sorted(moments):
        window.append(moment)
        while moment - window[0] >= length:
            window.popleft()
        most = max(most, len(window))
    return most


@given(works(longest_gap=30), st.integers(1, 60))
def test_no_minute_ever_holds_more_mails_than_allowed(done: list[Work], limit: int) -> None:
    account = Account(rate(per_minute=limit))
    account.do(done)

    assert most_within(account.sent, timedelta(minutes=1)) <= limit


@given(works(longest_gap=4 * 3600.0), st.integers(1, 200))
def test_no_day_ever_holds_more_mails_than_allowed(done: list[Work], limit: int) -> None:
    account = Account(rate(per_day=limit, per_minute=50))
    account.do(done)

    assert most_within(account.sent, timedelta(days=1)) <= limit
    assert most_within(account.sent, timedelta(minutes=1)) <= 50


@given(works(longest_gap=4 * 86_400.0, longest=0.0), st.integers(1, 200))
def test_no_month_ever_holds_more_mails_than_allowed(done: list[Work], limit: int) -> None:
    account = Account(rate(per_month=limit))
    account.do(done)

    months = [(moment.year, moment.month) for moment in account.sent]
    assert all(months.count(month) <= limit for month in set(months))


@given(works(longest_gap=30), st.integers(1, 60), st.none() | st.integers(1, 200))
def test_room_comes_back_when_it_is_said_and_not_before(done: list[Work], limit: int, per_day: int | None) -> None:
    account = Account(rate(per_minute=limit, per_day=per_day))
    account.do(done[:-1])
    now = after(sum(work.gap + work.lasts for work in done))
    full = account.rate.submitted(account.rate.room(now) or 0, now)

    moment = full.room_again_at(now)

    assert full.room(now) == 0
    assert (again(full, moment).room(moment) or 0) > 0
    assert again(full, moment).room(moment - timedelta(milliseconds=1)) == 0
    assert moment - now <= timedelta(hours=25)


def test_an_account_without_limits_has_any_room() -> None:
    assert rate().room(NOW) is None
    assert not rate().month_is_used_up
    assert not rate().warns_now


def test_a_limit_of_nothing_lets_nothing_go_and_comes_back_later() -> None:
    assert rate(per_minute=0).room(NOW) == 0
    assert rate(per_minute=0).room_again_at(NOW) > NOW
    assert rate(per_minute=0).booked("incident", 5, NOW)[1] > NOW


def test_what_was_claimed_and_not_used_is_given_back_where_it_was_claimed() -> None:
    """Another worker's mails, of a later slice, would else be forgotten before their minute is over."""
    claimed = rate(per_minute=30).submitted(20, NOW)
    other = again(claimed, after(30)).submitted(10, after(30))

    settled = again(other, after(31)).settled(claimed=20, used=0, claimed_at=NOW, now=after(31))

    assert settled.room(after(31)) == 20
    assert again(settled, after(66)).room(after(66)) == 20
    assert again(settled, after(95)).room(after(95)) == 30


def test_mails_count_from_when_the_last_of_their_window_was_submitted() -> None:
    claimed = rate(per_minute=30).submitted(30, NOW)

    settled = again(claimed, after(50)).settled(claimed=30, used=30, claimed_at=NOW, now=after(50))

    assert again(settled, after(100)).room(after(100)) == 0
    assert again(settled, after(115)).room(after(115)) == 30


def test_a_window_of_one_moment_changes_nothing_when_it_is_settled() -> None:
    claimed = rate(per_minute=30, per_month=90).submitted(30, NOW)

    assert claimed.settled(claimed=30, used=30, claimed_at=NOW, now=after(1)) == claimed


# --- The month ---


def test_a_month_ends_where_the_calendar_says_in_utc() -> None:
    last = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    used_up = rate(at=last, per_month=10).submitted(10, last)

    assert used_up.month_is_used_up
    assert used_up.room(last) == 0
    assert next_month(last) == datetime(2026, 12, 1, tzinfo=UTC)
    assert again(used_up, next_month(last)).room(next_month(last)) == 10
    assert next_month(datetime(2026, 12, 31, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


def test_mails_of_a_window_that_goes_over_the_end_of_a_month_count_for_the_new_one() -> None:
    last, first = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    claimed = rate(at=last, per_month=10).submitted(8, last)

    settled = again(claimed, first).settled(claimed=8, used=6, claimed_at=last, now=first)

    assert settled.room(first) == 4


@pytest.mark.parametrize(("submitted", "warns"), [(7, False), (8, True), (10, True)])
def test_four_fifths_of_a_month_warn_once(submitted: int, *, warns: bool) -> None:
    one = rate(per_month=10).submitted(submitted, NOW)

    assert one.warns_now is warns
    assert not again(one.warning_given(), NOW).warns_now
    assert not again(one.warning_given(), next_month(NOW)).warns_now
    assert again(one.warning_given(), next_month(NOW)).submitted(8, next_month(NOW)).warns_now


# --- The line ---


def test_who_joins_the_line_later_comes_later_by_what_is_waited_for_before() -> None:
    one = rate(per_minute=30).submitted(30, NOW)

    begins = []
    for mails in (15, 30, 100, 1):
        one, begin = again(one, NOW).booked("incident", mails, NOW)
        begins.append((begin - NOW).total_seconds())

    assert begins == [65, 97.5, 162.5, 227.5]  # no turn is longer than the minute and its slice, however much waits


def test_a_page_to_thousands_does_not_stand_before_an_incident() -> None:
    one = rate(per_minute=30).submitted(30, NOW)
    for _ in range(1000):
        one, _ = one.booked("status_page", 100, NOW)

    assert one.turn_at("status_page", NOW) > NOW + timedelta(hours=18)
    assert one.turn_at("incident", NOW) == after(65)


def test_a_page_leaves_room_for_those_that_wait_in_other_lines_and_no_more() -> None:
    full = rate(per_minute=30).submitted(30, NOW)
    one, begin = full.booked("incident", 3, NOW)
    free = again(one, begin)

    assert free.room(begin, "incident") == free.room(begin) == 30
    assert free.room(begin, "status_page") == 27
    crowded, _ = one.booked("incident", 100, NOW)
    assert again(crowded, begin).room(begin, "status_page") == 0
    assert again(crowded, begin).room_again_at(begin, "status_page") == begin + timedelta(seconds=71.5)


def test_only_the_limit_that_is_reached_makes_turns_longer() -> None:
    """25 a minute is the limit here, and 9,000 a day is far: half an hour for a hundred mails would be wasted."""
    one = rate(per_minute=25, per_day=9000).submitted(25, NOW)

    one, _ = one.booked("incident", 100, NOW)

    assert one.turn_at("incident", NOW) == after(130)


def test_the_turns_of_a_day_that_is_full_are_an_hour_at_most() -> None:
    one = rate(per_day=500).submitted(500, NOW)
    first = one.room_again_at(NOW)

    one, begin = one.booked("incident", 100, NOW)

    assert begin == first
    assert one.turn_at("incident", NOW) == first + timedelta(hours=1)


def test_another_limit_forgets_the_line_and_no_mail() -> None:
    one, _ = rate(per_minute=10).submitted(10, NOW).booked("incident", 1000, NOW)

    raised = Rate.of(one.document(), Limits(per_minute=20), NOW)

    assert raised.room(NOW) == 10
    assert raised.turn_at("incident", NOW) == NOW


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=12),
    st.integers(1, 100),
    st.lists(st.floats(0, 3), min_size=1, max_size=5),
)
def test_all_who_wait_get_their_turn_one_after_the_other_and_no_time_is_wasted(
    chunks: list[int], limit: int, delays: list[float]
) -> None:
    """Each comes back some seconds after its turn, as queues do; who comes too early takes the next room there is."""
    one, now = rate(per_minute=limit), NOW
    waiting = [(NOW, number, left) for number, left in enumerate(chunks)]
    first_turns: list[int] = []
    visits = 0
    while waiting:
        waiting.sort()
        due, number, left = waiting.pop(0)
        now = max(now, due + timedelta(seconds=delays[visits % len(delays)] if due > NOW else 0))
        visits += 1
        one = again(one, now)
        going = min(one.room(now) or 0, left)
        if going and number not in first_turns:
            first_turns.append(number)
        one = one.submitted(going, now)
        if going == 0 and due > NOW:
            waiting.append((one.room_again_at(now), number, left))
        elif left > going:
            one, begin = one.booked("incident", left - going, now)
            waiting.append((begin, number, left - going))

    assert first_turns == list(range(len(chunks)))
    minutes = -(-sum(chunks) // limit) + len(chunks)  # a turn that is not used up wastes what is left of it
    assert (now - NOW).total_seconds() <= minutes * 75
    assert visits <= 3 * minutes + len(chunks)
