"""How an account fares is written where its admins see it, and told once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.gate import News
from tocsin.actions.tell_of_accounts import TellOfAccounts
from tocsin.errors import AccountChanged, ServiceBusy
from tocsin.model.day_of_failures import FailureMark
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply

from tests.unit.model.examples import NOW, account
from tests.unit.model.test_day_of_failures import failed

if TYPE_CHECKING:
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount

FAILURE = (
    Reply(phase=Phase.CONNECT, code=421, text="busy"),
    Verdict(failure_class=FailureClass.THROTTLED, remedy_id="row", remedy="Wait."),
)
VERIFIED: dict[str, Any] = {"status": "verified", "verified_at": NOW}
FAILING: dict[str, Any] = {"status": "failing"}
NEXT_MONTH = NOW + timedelta(days=10)


@dataclass
class Days:
    """The marks of days with failures. `trouble` is what a write raises."""

    trouble: Exception | None = None
    marks: list[FailureMark] = field(default_factory=list)

    def mark(self, mark: FailureMark) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.marks.append(mark)


@dataclass
class World:
    """Settings, bus, admins and marks. `standing` is the account as it is by now, `trouble` what a write raises."""

    standing: MailAccount | None
    trouble: Exception | None = None
    written: list[MailAccount] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    notices: list[tuple[str, bool]] = field(default_factory=list)
    marks: list[tuple[str, str | None, datetime]] = field(default_factory=list)
    failures: list[tuple[str, int]] = field(default_factory=list)
    days: Days = field(default_factory=Days)
    now: datetime = NOW

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        assert (project_id, account_id) == ("acme", "first")
        return self.standing

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        assert before == self.standing
        assert refresh_at is None or after.auth.oauth2 is not None  # without a grant it is never due
        if self.trouble is not None:
            raise self.trouble
        self.written.append(after)

    def current_secret(self, of: MailAccount) -> AccountSecret:
        raise NotImplementedError(of.id)

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        raise NotImplementedError(of.id, new)

    def account_changed(self, event: str, of: MailAccount) -> None:
        self.events.append(f"{event}: {of.status}")

    def breaker_opened(self, account: MailAccount, *, waits_for_admin: bool) -> None:
        assert account == self.written[-1]
        self.notices.append((account.status, waits_for_admin))

    def mark(self, project_id: str, account_id: str | None, at: datetime) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.marks.append((project_id, account_id, at))

    def action(self) -> TellOfAccounts:
        return TellOfAccounts(
            grants=self,
            bus=self,
            admins=lambda: self,
            failures=lambda: self.days,
            marks=self,
            clock=lambda: self.now,
            jitter=lambda: 0.0,
            on_failure=lambda error, count: self.failures.append((error, count)),
        )

    def tell(self, news: News, failure: tuple[Reply, Verdict] = FAILURE) -> None:
        self.action().tell(account(), news, failure)


@pytest.mark.parametrize(
    ("standing", "news", "status", "events"),
    [
        pytest.param({}, News.FAILING, "failing", ["failing: failing"], id="fails"),
        pytest.param(VERIFIED, News.FAILING, "failing", ["failing: failing"], id="fails-though-verified"),
        pytest.param(FAILING, News.FAILING, "failing", ["failing: failing"], id="fails-in-another-way"),
        pytest.param(VERIFIED | FAILING, News.RECOVERED, "verified", ["verified: verified"], id="recovers"),
        pytest.param(FAILING, News.RECOVERED, "not_verified", [], id="recovers-and-was-never-verified"),
        pytest.param(VERIFIED, News.MONTH_NEARLY_USED, "verified", [], id="month-nearly-used"),
    ],
)
def test_news_becomes_a_status_and_an_event(
    standing: dict[str, Any], news: News, status: str, events: list[str]
) -> None:
    world = World(account(**standing))

    world.tell(news)

    assert [after.status for after in world.written] == [status]
    assert world.events == events
    assert world.failures == []


@pytest.mark.parametrize(
    ("news", "shown"),
    [
        (News.FAILING, ("connect", 421, "busy", "row", "Wait.")),
        (News.RECOVERED, None),
        (News.MONTH_NEARLY_USED, ("settings", None, "month_nearly_used", "month-nearly-used")),
        (
            News.PROJECT_MONTH_NEARLY_USED,
            ("settings", None, "project_month_nearly_used", "project-month-nearly-used"),
        ),
    ],
)
def test_the_last_error_says_what_happened_and_what_to_do(news: News, shown: tuple[object, ...] | None) -> None:
    world = World(account(**FAILING))

    world.tell(news)

    error = world.written[0].last_error
    said = (error.phase, error.code, error.text, error.remedy_id, error.remedy) if error is not None else None
    assert said == shown or (said is not None and said[:4] == shown and "per_month" in str(said[4]))


@pytest.mark.parametrize(
    ("standing", "news"),
    [
        pytest.param({"version": 2}, News.FAILING, id="an-admin-was-quicker"),
        pytest.param({"status": "reauthorization_required"}, News.FAILING, id="it-waits-for-an-admin"),
        pytest.param({"status": "disabled"}, News.FAILING, id="it-is-off"),
        pytest.param({"status": "reauthorization_required"}, News.RECOVERED, id="recovered-and-yet-waits"),
        pytest.param(VERIFIED, News.RECOVERED, id="it-was-said"),
        pytest.param(None, News.FAILING, id="it-is-gone"),
    ],
)
def test_what_others_know_better_is_left_as_it_is(standing: dict[str, Any] | None, news: News) -> None:
    world = World(account(**standing) if standing is not None else None)

    world.tell(news)

    assert world.written == []
    assert world.events == []
    assert world.notices == []
    assert world.failures == []


@pytest.mark.parametrize(
    ("news", "failure_class", "auth", "notices"),
    [
        pytest.param(News.FAILING, FailureClass.THROTTLED, "password", [("failing", False)], id="for-a-while"),
        pytest.param(News.FAILING, FailureClass.NETWORK, "oauth2", [("failing", False)], id="with-a-token"),
        pytest.param(News.FAILING, FailureClass.AUTH_PERMANENT, "password", [("failing", True)], id="for-good"),
        pytest.param(News.FAILING, FailureClass.AUTH_PERMANENT, "oauth2", [], id="a-new-consent-is-asked-for"),
        pytest.param(News.RECOVERED, FailureClass.NETWORK, "password", [], id="it-works-again"),
        pytest.param(News.MONTH_NEARLY_USED, FailureClass.NETWORK, "password", [], id="month-nearly-used"),
    ],
)
def test_admins_are_told_of_an_account_that_is_left_alone(
    news: News, failure_class: FailureClass, auth: str, notices: list[tuple[str, bool]]
) -> None:
    oauth2 = {"grant": "client_credentials", "client_id": "c"} if auth == "oauth2" else None
    world = World(account(auth={"type": auth, "username": "ops", "oauth2": oauth2}))

    world.tell(news, (FAILURE[0], replace(FAILURE[1], failure_class=failure_class)))

    assert world.notices == notices
    assert world.failures == []


def test_what_cannot_be_written_is_counted_and_harms_no_delivery() -> None:
    world = World(account(), trouble=RuntimeError("something nobody thought of"))

    world.tell(News.FAILING)
    world.action().month_used_up("acme", account(), NEXT_MONTH)

    assert world.failures == [("RuntimeError", 1)] * 2
    assert world.events == []


def test_news_of_an_account_that_was_edited_meanwhile_is_counted() -> None:
    world = World(account(), trouble=AccountChanged("edited"))

    world.tell(News.FAILING)

    assert world.failures == [("AccountChanged", 1)]


def test_a_month_that_cannot_be_marked_now_is_tried_again_before_anything_is_parked() -> None:
    world = World(account(), trouble=ServiceBusy("throttled"))

    with pytest.raises(ServiceBusy):
        world.action().month_used_up("acme", account(), NEXT_MONTH)


@pytest.mark.parametrize(
    ("parked_for", "marked"),
    [
        pytest.param(account(), ("acme", "first"), id="of-an-account"),
        pytest.param(account(project_id="_system"), ("_system", "first"), id="of-an-account-of-the-installation"),
        pytest.param(None, ("acme", None), id="of-the-project"),
    ],
)
def test_what_a_month_leaves_is_marked_for_the_next(
    parked_for: MailAccount | None, marked: tuple[str, str | None]
) -> None:
    world = World(account())

    world.action().month_used_up("acme", parked_for, NEXT_MONTH)

    assert world.marks == [(*marked, NEXT_MONTH)]


def test_what_a_login_was_refused_for_is_marked_to_go_once_it_works() -> None:
    world = World(account())

    world.tell(News.LOGIN_WORKS)

    assert (world.marks, world.written, world.events) == ([("acme", "first", NOW)], [], [])


def test_failed_deliveries_are_marked_for_the_summary_of_their_day() -> None:
    world, received_at = World(account()), NOW - timedelta(days=2)

    world.action().deliveries_failed("acme", received_at=received_at)

    next_morning = NOW.replace(hour=6, minute=0) + timedelta(days=1)
    assert world.days.marks == [FailureMark(project_id="acme", due_at=next_morning, since=received_at)]
    assert world.failures == []


@pytest.mark.parametrize("seconds_ago", [0, 1, 20])
def test_a_delivery_that_failed_just_before_its_day_ended_is_summed_up_though_it_is_marked_after(
    seconds_ago: int,
) -> None:
    end = NOW.replace(hour=6, minute=0)
    world = World(account(), now=end + timedelta(seconds=10))

    world.action().deliveries_failed("acme", received_at=NOW)

    delivery = failed(updated_at=world.now - timedelta(seconds=seconds_ago))
    assert [mark for mark in world.days.marks if mark.covers(delivery)] != []


def test_a_summary_that_cannot_be_marked_harms_no_delivery() -> None:
    world = World(account(), days=Days(RuntimeError("something nobody thought of")))

    world.action().deliveries_failed("acme", received_at=NOW)

    assert world.failures == [("RuntimeError", 1)]
