"""When a delivery is tried again: by its family's schedule, and later only where a reply asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Acme
    from tests.relay.actions import Action

_LATER = Say("450 Requested action not taken: mailbox unavailable")


@pytest.mark.parametrize(
    ("phase", "misbehaviour"),
    [
        pytest.param("rcpt", _LATER, id="recipient-deferred"),
        pytest.param("rcpt", Say("450 4.2.1 Mailbox temporarily disabled"), id="mailbox-disabled"),
        pytest.param("mail", Say("451 Requested action aborted: local error"), id="transaction-deferred"),
        pytest.param("data", Say("451 Try again later"), id="message-deferred"),
        pytest.param("ehlo", Say("451 4.3.0 not now"), id="session-deferred"),
        pytest.param("auth", Say("454 4.7.0 Temporary authentication failure"), id="login-deferred"),
        pytest.param("connect", Close(), id="connection-failed"),
        pytest.param("rcpt", Close(), id="connection-lost"),
    ],
)
def test_what_a_relay_does_not_take_just_now_comes_back_after_10_and_30_seconds(
    acme: Acme, phase: str, misbehaviour: Action
) -> None:
    with Relay(**LOGIN, script={phase: [misbehaviour] * 2}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_until_done()

    assert fleet.queue.delays == [10, 30]
    assert (acme.deliveries()["ana@example.org"]["state"], len(relay.mails)) == ("accepted", 1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("451 4.7.1 Greylisted", 300, id="greylisted"),
        pytest.param("451 4.7.1 Greylisted, please try again in 120 seconds", 120, id="greylisted-with-a-time"),
        pytest.param("450 4.2.1 The user is receiving mail too quickly", 60, id="too-quickly"),
        pytest.param("452 4.2.2 over quota", 900, id="mailbox-full"),
        pytest.param("450 not now, retry after 40 seconds", 40, id="a-time-of-its-own"),
        pytest.param("450 not now, retry after 4 seconds", 10, id="a-time-below-the-schedule"),
    ],
)
def test_a_recipient_whose_server_asks_for_time_gets_it(acme: Acme, text: str, seconds: int) -> None:
    with Relay(**LOGIN, script={"rcpt": [Say(text)]}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_until_done()

    assert fleet.queue.delays == [seconds]
    assert acme.states() == {"ana@example.org": "accepted"}


@pytest.mark.parametrize("text", ["421 Service not available", "421 4.7.0 Try again later, closing connection."])
def test_a_relay_that_ends_the_session_is_left_alone_for_a_minute(acme: Acme, text: str) -> None:
    with Relay(**LOGIN, script={"mail": [Say(text, then_close=True)]}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        began = fleet.clock()
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_until_done()
        waited = fleet.clock() - began

    assert 60 <= waited.total_seconds() <= 75
    assert (acme.deliveries()["ana@example.org"]["attempt"], relay.connections) == (2, 2)


def _expiring(fleet: Fleet, acme: Acme, recipient: str, *, minutes: int) -> dict[str, Any]:
    event = acme.event(recipient)
    event["data"]["options"] = {"expires_at": (fleet.clock() + timedelta(minutes=minutes)).isoformat()}
    return event


def test_what_the_schedule_would_try_too_late_is_tried_a_last_time_before_it_expires(acme: Acme) -> None:
    with Relay(**LOGIN, script={"rcpt": [_LATER] * 5}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(_expiring(fleet, acme, "ana@example.org", minutes=6))
        fleet.work_until_done()

    assert fleet.queue.delays == [10, 30, 60, 120, 80]
    assert acme.states() == {"ana@example.org": "accepted"}


@pytest.mark.parametrize(("may_send", "state"), [(True, "accepted"), (False, "expired")])
def test_what_waits_for_an_account_beyond_its_end_is_looked_at_once_more_before_that(
    acme: Acme, state: str, *, may_send: bool
) -> None:
    throttle = Say("421 4.7.0 retry after 10 minutes", then_close=True)
    with Relay(**LOGIN, script={"mail": [throttle]}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(_expiring(fleet, acme, "ana@example.org", minutes=60))
        fleet.work_once()
        fleet.queue.messages, fleet.queue.delays = [], []
        fleet.publish(_expiring(fleet, acme, "bo@example.org", minutes=5))
        fleet.work_once()
        if may_send:
            acme.let_breaker_try()
        fleet.work_until_done()

    assert fleet.queue.delays == ([240] if may_send else [240, 60])
    assert acme.states()["bo@example.org"] == state
