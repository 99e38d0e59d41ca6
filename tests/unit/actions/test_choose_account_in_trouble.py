"""An account that is in trouble for a while: who waits for it, who takes the next one, and for whom there is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.choose_account import Unusable, Usable, Waiting, candidates, choose_account
from tocsin.actions.gate import Gate
from tocsin.actions.log_in import NoCredential
from tocsin.model.breaker import Breaker, breaker_key
from tocsin.model.delivery import Fallback
from tocsin.model.project import SYSTEM_PROJECT
from tocsin.model.rate import Rate
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import patience, route_of
from tocsin.model.shared_item import SharedItem, shared_key

from tests.unit.model.examples import NOW, account, notification, settings

if TYPE_CHECKING:
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.project import ProjectSettings

type Json = dict[str, Any]

THROTTLED = Verdict(failure_class=FailureClass.THROTTLED, remedy_id="row", remedy="Wait.")
REFUSED = Verdict(failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Check.")
BUSY = Verdict(failure_class=FailureClass.AUTH_TRANSIENT, remedy_id="row", remedy="Wait.")
FIRST, SECOND = account("first"), account("second")
SYSTEM = account("system", project_id=SYSTEM_PROJECT)


class LogInOf:
    """Every account has a credential but these, for which there is none now."""

    def __init__(self, **missing: Verdict) -> None:
        self._missing = missing

    def credential(self, one: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential | None]:
        del deadline
        if one.id in self._missing:
            raise NoCredential(Reply(phase=Phase.AUTH, code=None, text="grant_busy"), self._missing[one.id])
        return one, None


def is_open(one: MailAccount, seconds: float, *, at: datetime = NOW) -> SharedItem:
    """Its breaker is open for so long."""
    reply = Reply(phase=Phase.CONNECT, code=421, text="busy")
    breaker = Breaker().after_failure(reply, THROTTLED, at, jitter=0)
    breaker = breaker.model_copy(update={"open_until": at + timedelta(seconds=seconds)})
    return SharedItem(key=breaker_key(one), version=1, document=breaker.document())


def is_stopped(one: MailAccount, *, refusals: int = 2) -> SharedItem:
    """Its credential was refused twice, or once just now."""
    reply, breaker = Reply(phase=Phase.AUTH, code=535, text="bad credentials"), Breaker()
    for _ in range(refusals):
        breaker = breaker.after_refused_login(reply, REFUSED, NOW, credential_version=one.credential_version)
    return SharedItem(key=breaker_key(one), version=2, document=breaker.document())


def is_full(one: MailAccount, *, turns: int = 0) -> SharedItem:
    """It submitted all that its limits allow, and so many turns are given already."""
    rate = Rate.of({}, one.limits, NOW)
    rate = rate.submitted(rate.room(NOW) or 0, NOW)
    for _ in range(turns):
        rate, _ = rate.booked("incident", 100, NOW)
    return SharedItem(key=shared_key("rate", one), version=1, document=rate.document())


def chosen(
    *items: SharedItem,
    type_: str = "incident.created",
    accounts: tuple[MailAccount, ...] = (FIRST, SECOND),
    policy: str = "project",
    waited: float = 0,
    options: Json | None = None,
    system: ProjectSettings | None = None,
    log_in: LogInOf | None = None,
) -> str:
    """The account that carries the notification, else what it waits for, or why there is none."""
    one = notification(type_, options=options)
    names = [each.id for each in accounts]
    project = settings(*accounts, routes=dict.fromkeys(("incident", "status_page"), names), fallback_policy=policy)
    now = NOW + timedelta(seconds=waited)
    gate = Gate(limits=lambda each: each.limits, route=route_of(one), clock=lambda: now, jitter=lambda: 0.0)
    gate.learn(items)
    found = choose_account(
        one,
        candidates(one, project, system),
        log_in or LogInOf(),  # type: ignore[arg-type]  # all that is asked of it here
        gate,
        patient_until=NOW + patience(route_of(one)),
        deadline=0,
    )
    match found:
        case Usable(instead_of=None):
            return found.account.id
        case Usable(instead_of=Fallback() as first):
            return f"{found.account.id} instead of {first.mail_account_id}: {first.reason}"
        case Waiting():
            return f"{found.account.id} in {(found.until - now).total_seconds():g} s: {found.reply.text}"
        case Unusable():
            return f"none: {found.reply.text}"
        case _:
            raise AssertionError(found)


@pytest.mark.parametrize(
    ("type_", "seconds", "expected"),
    [
        ("incident.created", 60, "first in 60 s: breaker_open"),
        ("incident.created", 61, "second instead of first: breaker_open"),
        ("status_page.incident_created", 900, "first in 900 s: breaker_open"),
        ("status_page.incident_created", 901, "second instead of first: breaker_open"),
    ],
)
def test_a_family_waits_for_the_first_account_as_long_as_it_tolerates(
    type_: str, seconds: float, expected: str
) -> None:
    assert chosen(is_open(FIRST, seconds), type_=type_) == expected


@pytest.mark.parametrize(
    ("waited", "seconds", "expected"),
    [
        (30, 30, "first in 30 s: breaker_open"),
        (30, 31, "second instead of first: breaker_open"),
        (3600, 10, "first in 10 s: breaker_open"),
        (3600, 11, "second instead of first: breaker_open"),
    ],
)
def test_many_short_waits_are_a_long_one_but_seconds_are_always_borne(
    waited: float, seconds: float, expected: str
) -> None:
    at = NOW + timedelta(seconds=waited)

    assert chosen(is_open(FIRST, seconds, at=at), waited=waited) == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({"per_minute": 30}, "second instead of first: over_limit", id="a-minute-is-too-long"),
        pytest.param({"per_day": 30}, "second instead of first: over_limit", id="a-day-is"),
        pytest.param({"per_month": 30}, "second instead of first: month_used_up", id="a-month-is"),
    ],
)
def test_over_its_limit_an_account_makes_way_for_the_next(limits: Json, expected: str) -> None:
    first = account("first", limits=limits)

    assert chosen(is_full(first), accounts=(first, SECOND)) == expected


def test_it_is_the_turn_in_the_line_that_is_too_late_not_the_next_room() -> None:
    first = account("first", limits={"per_minute": 30})
    seen = {turns: chosen(is_full(first, turns=turns), accounts=(first, SECOND), policy="none") for turns in (0, 1, 20)}

    assert seen == {
        0: "first in 65 s: over_limit",
        1: "first in 130 s: over_limit",
        20: "first in 1365 s: over_limit",
    }


def test_an_account_whose_logins_are_stopped_makes_way_at_once_and_parks_where_there_is_no_other() -> None:
    assert chosen(is_stopped(FIRST)) == "second instead of first: bad credentials"
    assert chosen(is_stopped(FIRST), policy="none") == "none: bad credentials"
    assert chosen(is_stopped(FIRST), accounts=(account("first", credential_version="v2"), SECOND)) == "first"


def test_an_account_that_was_just_refused_is_waited_for_only_where_there_is_no_other() -> None:
    refused = is_stopped(FIRST, refusals=1)

    assert chosen(refused) == "second instead of first: breaker_open"
    assert chosen(refused, policy="none") == "first in 30 s: breaker_open"


def test_where_all_wait_the_one_whose_time_comes_first_carries_it() -> None:
    assert chosen(is_open(FIRST, 900), is_open(SECOND, 300)) == "second in 300 s: breaker_open"
    assert chosen(is_open(FIRST, 900), is_stopped(SECOND)) == "first in 900 s: breaker_open"
    assert chosen(is_open(FIRST, 900), is_open(SECOND, 5)) == "second in 5 s: breaker_open"


def test_a_token_that_is_renewed_just_now_is_waited_for_and_one_that_never_comes_is_not() -> None:
    assert chosen(log_in=LogInOf(first=BUSY)) == "none: grant_busy"  # deferred, and tried again in seconds
    assert chosen(log_in=LogInOf(first=BUSY), waited=60) == "second instead of first: grant_busy"
    assert chosen(log_in=LogInOf(first=REFUSED)) == "second instead of first: grant_busy"


def test_nothing_is_parked_for_an_account_that_cannot_send_while_another_comes_back() -> None:
    disabled = account("first", enabled=False)

    assert chosen(accounts=(disabled, SECOND), log_in=LogInOf(second=BUSY), waited=60) == "none: grant_busy"
    assert chosen(accounts=(disabled, SECOND), log_in=LogInOf(second=REFUSED)) == "none: account_disabled"


def test_an_account_that_was_named_is_waited_for_however_long_it_takes() -> None:
    options = {"mail_account_id": "first"}

    assert chosen(is_open(FIRST, 3600), options=options) == "first in 3600 s: breaker_open"
    assert chosen(is_stopped(FIRST), options=options, system=settings(SYSTEM)) == "none: bad credentials"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("none", "first in 3600 s: breaker_open"),
        ("project", "second instead of first: breaker_open"),
    ],
)
def test_without_leave_nothing_goes_by_another_account(policy: str, expected: str) -> None:
    assert chosen(is_open(FIRST, 3600), policy=policy) == expected


def test_the_installations_own_account_comes_last() -> None:
    system = settings(SYSTEM, routes={"incident": ["system"]})

    assert chosen(is_stopped(FIRST), system=system) == "second instead of first: bad credentials"
    assert chosen(is_stopped(FIRST), is_stopped(SECOND), system=system) == "system instead of first: bad credentials"
    assert chosen(accounts=(), system=system) == "system"
