"""An account in trouble is left alone for a while, tried by one, and told of; a refused credential is tried twice."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin.adapters.breakers import Breakers
from tocsin.model.mail_account import MailAccount

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Hang, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Acme, Stack

VERIFIED_AT = "2026-01-01T00:00:00Z"


def _events(acme: Acme, number: int, *, first: int = 0) -> list[dict[str, Any]]:
    return [acme.event(f"p{index}@example.org") for index in range(first, first + number)]


def _one_after_the_other(fleet: Fleet, acme: Acme, number: int, *, first: int = 0) -> None:
    """Publish events, and work on each at once; what comes back waits."""
    for event in _events(acme, number, first=first):
        waiting, fleet.queue.messages = fleet.queue.messages, []
        fleet.publish(event)
        fleet.work_once()
        fleet.queue.messages += waiting


def _status(acme: Acme) -> dict[str, Any]:
    state: dict[str, Any] = acme.account()["state"]
    return state


def _account_events(stack: Stack) -> list[str]:
    names = [event["detail-type"] for event in stack.events()]
    return [name for name in names if name.startswith("mail_account.")]


def _logins(relay: Relay) -> int:
    return sum(command.startswith("AUTH") for command in relay.commands)


def _last(acme: Acme, number: int) -> dict[str, Any]:
    delivery: dict[str, Any] = acme.deliveries()[f"p{number}@example.org"]
    return delivery


def test_three_failures_of_any_records_open_it_and_the_next_waits_without_a_try(stack: Stack, acme: Acme) -> None:
    acme.found_out = {"status": "verified", "verified_at": VERIFIED_AT}
    with Relay(**LOGIN, script={"ehlo": [Close()] * 3}) as relay, Fleet.of(2) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 3)
        tried = relay.connections

        _one_after_the_other(fleet, acme, 1, first=3)

        waiting = _last(acme, 3)
        assert (waiting["state"], waiting["attempt"], relay.connections) == ("deferred", 0, tried)
        assert waiting["log"][-1]["reply"]["text"] == "breaker_open"
        wait = datetime.fromisoformat(waiting["retry_at"]) - fleet.clock.now
        assert timedelta(seconds=30) <= wait <= timedelta(seconds=37.5)
        assert _status(acme)["status"] == "failing"
        assert _status(acme)["last_error"]["remedy"]

        fleet.work_until_done()

        assert set(acme.states().values()) == {"accepted"}
        assert _status(acme) == {"status": "verified", "verified_at": VERIFIED_AT}
    assert _account_events(stack) == ["mail_account.failing", "mail_account.verified"]


@pytest.mark.parametrize(
    ("script", "waits_for_admin"),
    [
        pytest.param({"ehlo": Close()}, False, id="no-answer"),
        pytest.param({"auth": Say("535 5.7.8 Error: authentication failed")}, True, id="refused-login"),
    ],
)
def test_admins_are_told_of_an_opening_once_however_often_it_is_tried_then(
    stack: Stack, acme: Acme, script: dict[str, Any], *, waits_for_admin: bool
) -> None:
    acme.project = {"admins": [{"email": "carla@example.org"}]}
    with Relay(**LOGIN, script=script) as relay, Fleet.of(2) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 3)
        for _ in range(6):
            fleet.work_once()

        assert _status(acme)["status"] == "failing"

    told = [json.loads(message["body"]) for message in stack.messages("NotificationQueue")]
    [notice] = [event for event in told if event["data"]["project"]["id"] == acme.id]
    assert notice["type"] == "settings.breaker_opened"
    assert notice["data"]["waits_for_admin"] is waits_for_admin
    assert notice["data"]["remedy"]


def test_when_the_pause_is_over_one_worker_tries_while_the_others_wait(acme: Acme) -> None:
    acme.changes = {"limits": {"connections": 4}}
    with Relay(**LOGIN, script={"ehlo": [Close(), Close(), Close(), Hang()]}) as relay, Fleet.of(3) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 3)
        fleet.queue.messages = []
        fleet.clock.pass_seconds(40)
        fleet.publish(*_events(acme, 6, first=3))

        fleet.work_together()

        assert relay.connections == 4
        assert sorted(_last(acme, number)["attempt"] for number in range(3, 9)) == [0] * 5 + [1]

        fleet.work_until_done()

        assert {acme.states()[f"p{number}@example.org"] for number in range(3, 9)} == {"accepted"}


def test_pauses_grow_while_the_relay_stays_in_trouble(acme: Acme) -> None:
    with Relay(**LOGIN, script={"ehlo": Close()}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 3)
        begun, tried = fleet.clock.now, []
        while fleet.clock.now - begun < timedelta(minutes=40):
            before = relay.connections
            fleet.work_once()
            tried += [fleet.clock.now] * (relay.connections > before)

    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(tried)]
    assert len(tried) <= 9
    assert pauses[-1] > 600
    assert all(later > earlier * 1.2 for earlier, later in pairwise(pauses[:4]))


@pytest.mark.parametrize(
    ("reply", "at_least"),
    [
        pytest.param("421 4.7.0 Try again later, closing connection.", 60, id="google"),
        pytest.param("432 4.3.2 Concurrent connections limit exceeded.", 60, id="microsoft"),
        pytest.param("451 4.7.500 Server busy. Please try again later", 60, id="by-policy"),
        pytest.param("421 4.7.0 too many messages, try again in 300 seconds", 300, id="as-long-as-the-reply-says"),
    ],
)
def test_a_throttle_is_waited_out_by_all(acme: Acme, reply: str, at_least: int) -> None:
    mail = Say(reply, then_close=reply.startswith("421"))
    with Relay(**LOGIN, script={"mail": [mail]}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event("p0@example.org", "p1@example.org", "p2@example.org"))
        fleet.work_once()
        tried, begun = relay.connections, fleet.clock.now
        _one_after_the_other(fleet, acme, 1, first=3)

        waiting = _last(acme, 3)
        assert (waiting["state"], waiting["attempt"], relay.connections) == ("deferred", 0, tried)
        assert datetime.fromisoformat(waiting["retry_at"]) - begun >= timedelta(seconds=at_least)

        fleet.work_until_done()

        assert set(acme.states().values()) == {"accepted"}


def test_recipients_that_are_greylisted_are_no_trouble_of_the_account(stack: Stack, acme: Acme) -> None:
    greylisted = {f"rcpt p{number}@example.org": [Say("450 4.7.1 Greylisted")] for number in range(5)}
    with Relay(**LOGIN, script=greylisted) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 6)

        assert acme.states()["p5@example.org"] == "accepted"
        assert _status(acme) == {}

        fleet.work_until_done()

        assert set(acme.states().values()) == {"accepted"}
    assert _account_events(stack) == []


# --- Refused logins ---


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param("535 5.7.8 Error: authentication failed", id="with-status"),
        pytest.param("535 Incorrect authentication data", id="exim"),
    ],
)
def test_a_credential_that_is_refused_twice_is_never_tried_again(stack: Stack, acme: Acme, refusal: str) -> None:
    with Relay(**LOGIN, script={"auth": Say(refusal)}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 3)
        fleet.work_until_done()
        _one_after_the_other(fleet, acme, 3, first=3)

        assert _logins(relay) == 2
        assert set(acme.states().values()) == {"parked"}
        assert {delivery["attempt"] for delivery in acme.deliveries().values()} == {0}
        assert {delivery["log"][-1]["reply"]["text"] for delivery in acme.deliveries().values()} == {
            acme.deliveries()["p0@example.org"]["log"][-1]["reply"]["text"]
        }
        assert _status(acme)["status"] == "failing"
    assert _account_events(stack) == ["mail_account.failing"]


def test_what_a_login_was_refused_for_once_goes_again_when_one_works(stack: Stack, acme: Acme) -> None:
    with Relay(**LOGIN, script={"auth": [Say("535 5.7.8 no")]}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 1)
        assert set(acme.states().values()) == {"parked"}
        [second_try] = acme.marks()
        fleet.clock.pass_seconds(31)
        _one_after_the_other(fleet, acme, 2, first=1)

        assert sorted(acme.states().values()) == ["accepted", "accepted", "parked"]
        assert [account_id for account_id, _ in acme.marks()] == [acme.account_id] * 2
        assert second_try in acme.marks()
    assert _account_events(stack) == []


@pytest.mark.parametrize(("processes", "connections"), [(1, 1), (1, 2), (3, 1), (3, 2)])
def test_records_and_workers_side_by_side_try_a_credential_twice(acme: Acme, processes: int, connections: int) -> None:
    acme.changes = {"limits": {"connections": connections}}
    with Relay(**LOGIN, script={"auth": Say("535 5.7.8 no")}) as relay, Fleet.of(processes) as fleet:
        acme.save(relay)
        fleet.publish(*_events(acme, 12))

        fleet.work_until_done()

        assert _logins(relay) == 2
        assert set(acme.states().values()) == {"parked"}


def test_a_new_credential_is_tried_at_once(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay, password="wrong")
        _one_after_the_other(fleet, acme, 3)
        fleet.work_until_done()
        assert _logins(relay) == 2

        acme.change_password("secret")
        fleet.clock.pass_seconds(11)  # as long as settings are kept
        _one_after_the_other(fleet, acme, 1, first=3)

        assert acme.states()["p3@example.org"] == "accepted"


def test_a_verification_lets_the_same_credential_log_in_again(acme: Acme) -> None:
    """The relay refused it for reasons of its own, and an admin saw it work since."""
    with Relay(**LOGIN, script={"auth": [Say("535 5.7.8 no")] * 2}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _one_after_the_other(fleet, acme, 3)
        fleet.work_until_done()
        assert set(acme.states().values()) == {"parked"}

        breakers = Breakers(boto3.client("dynamodb"), "EphemeralTable")
        for _ in range(2):  # where there is none, that is no error
            breakers.reset(_model(acme))
        _one_after_the_other(fleet, acme, 1, first=3)

        assert acme.states()["p3@example.org"] == "accepted"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param("454 4.7.0 Temporary authentication failure", id="454"),
        pytest.param("535 5.7.8 Error: authentication failed: Connection lost to authentication server", id="535"),
    ],
)
def test_a_login_that_fails_for_a_while_is_no_refusal_of_the_credential(acme: Acme, trouble: str) -> None:
    with Relay(**LOGIN, script={"auth": [Say(trouble)] * 4}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event("ana@example.org"))

        fleet.work_until_done()

        assert _logins(relay) == 5
        assert acme.states() == {"ana@example.org": "accepted"}


def _model(acme: Acme) -> MailAccount:
    item = acme.account()
    fields = {"project_id": acme.id, "id": acme.account_id, "version": item["version"]}
    return MailAccount.model_validate(json.loads(item["document"]) | fields)
