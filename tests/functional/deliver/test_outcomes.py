"""Whatever a relay, a recipient or an account does, every delivery ends in the one state that tells the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Hang, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_PHASES = ("connect", "tls", "ehlo", "starttls", "auth", "mail", "rcpt", "data")


@pytest.mark.parametrize("phase", _PHASES)
@pytest.mark.parametrize("misbehaviour", [Hang(), Close(), Say("451 4.3.0 try later")], ids=["hang", "close", "4yz"])
def test_a_relay_in_trouble_defers_and_the_chunk_comes_back(
    stack: Stack,
    acme: Acme,
    deliver: Invoke,
    phase: str,
    misbehaviour: Any,  # noqa: ANN401  (an action of the relay)
) -> None:
    if phase == "tls" and isinstance(misbehaviour, Say):
        misbehaviour = Close()
    with Relay(**LOGIN, script={phase: misbehaviour}) as relay:
        acme.save(relay)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": "deferred"}
    assert acme.deliveries()["ana@example.org"]["retry_at"]
    assert relay.mails == []
    assert [event["detail-type"] for event in stack.events()] == ["delivery.deferred"]


@pytest.mark.parametrize(
    ("script", "states"),
    [
        pytest.param({"content": Close()}, ["unknown"], id="dropped-after-data"),
        pytest.param({"content": Hang()}, ["unknown"], id="silent-after-data"),
        pytest.param({"content": Say("554 5.6.0 no")}, ["refused"], id="message-refused"),
        pytest.param({"rcpt": Say("550 5.1.1 who?")}, ["refused"], id="recipient-refused"),
        pytest.param({"mail": Say("553 5.7.1 not your address")}, ["parked"], id="sender-refused"),
        pytest.param({"auth": Say("535 5.7.8 bad credentials")}, ["parked"], id="credential-refused"),
        pytest.param({"starttls": Say("454 4.7.0 TLS not available")}, ["deferred"], id="starttls-unavailable"),
    ],
)
def test_an_answer_becomes_a_state(acme: Acme, deliver: Invoke, script: dict[str, Any], states: list[str]) -> None:
    with Relay(**LOGIN, script=script) as relay:
        acme.save(relay)

        assert deliver(acme.event("ana@example.org")) == []

    assert list(acme.states().values()) == states
    assert relay.mails == []


def test_one_refused_recipient_of_three_does_not_touch_the_others(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, script={"rcpt bo@example.org": Say("550 5.1.1 who?")}) as relay:
        acme.save(relay)

        deliver(acme.event("ana@example.org", "bo@example.org", "cy@example.org"))

    assert acme.states() == {
        "ana@example.org": "accepted",
        "bo@example.org": "refused",
        "cy@example.org": "accepted",
    }
    assert [mail.rcpt_to for mail in relay.mails] == [("ana@example.org",), ("cy@example.org",)]


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("no-at-sign", "refused"),
        ("two@@example.org", "refused"),
        ("ana@-bad-.example", "refused"),
        ("a" * 65 + "@example.org", "refused"),
        ("#lease", "refused"),
        (" ", "refused"),
        ("x@example.org\r\nDATA", "refused"),
        ('"ana maria"@example.org', "accepted"),
        ("ana@bücher.example", "accepted"),
        ("josé@example.org", "accepted"),
    ],
)
def test_an_address_is_mailed_or_refused_and_never_stops_the_others(
    acme: Acme, deliver: Invoke, address: str, state: str
) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(acme.event(address, "bo@example.org")) == []

    states = acme.states()
    assert states.pop("bo@example.org") == "accepted"
    assert list(states.values()) == [state]


def test_a_local_part_the_relay_cannot_take_is_refused(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, offers=("SIZE 1000000",)) as relay:
        acme.save(relay)

        deliver(acme.event("josé@example.org", "bo@example.org"))

    assert acme.states() == {"josé@example.org": "refused", "bo@example.org": "accepted"}


@pytest.mark.parametrize(
    ("account", "project", "password", "reply"),
    [
        pytest.param({"enabled": False}, {}, "secret", "account_disabled", id="disabled"),
        pytest.param({"paused": True}, {}, "secret", "account_paused", id="paused"),
        pytest.param({"status": "reauthorization_required"}, {}, "secret", "reauthorization_required", id="no-grant"),
        pytest.param({}, {}, None, "secret_missing", id="no-secret"),
        pytest.param({"use_for": ["system"]}, {}, "secret", "account_not_for_route", id="not-for-incidents"),
        pytest.param({"senders": [{"email": "nobody"}]}, {}, "secret", "sender_invalid", id="sender-no-address"),
        pytest.param({"transport": "graph"}, {}, "secret", "transport_not_available", id="transport-to-come"),
        pytest.param({}, {"routes": {}}, "secret", "no_route", id="no-route"),
        pytest.param({}, {"routes": 7}, "secret", "project_unreadable", id="malformed-project"),
    ],
)
def test_an_account_that_cannot_send_parks_and_spends_no_attempt(
    acme: Acme, deliver: Invoke, account: dict[str, Any], project: dict[str, Any], password: str | None, reply: str
) -> None:
    acme.changes, acme.project = account, project
    with Relay(**LOGIN) as relay:
        acme.save(relay, password=password)

        assert deliver(acme.event("ana@example.org")) == []

    delivery = acme.deliveries()["ana@example.org"]
    assert (delivery["state"], delivery["attempt"]) == ("parked", 0)
    assert delivery["log"][-1]["reply"]["text"] == reply
    assert delivery["parked_account"].startswith(f"{acme.id}#")
    assert relay.connections == 0


def test_a_secret_is_never_used_with_a_relay_it_was_not_saved_for(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay, Relay(**LOGIN) as other:
        acme.save(relay)
        acme.move_to(other)

        deliver(acme.event("ana@example.org"))

    assert acme.deliveries()["ana@example.org"]["log"][-1]["reply"]["text"] == "secret_not_for_this_relay"
    assert other.connections == 0


def test_a_relay_that_is_down_defers(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)

    deliver(acme.event("ana@example.org"))

    assert acme.states() == {"ana@example.org": "deferred"}


def test_a_refused_credential_is_tried_once_for_the_whole_window(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, script={"auth": Say("535 5.7.8 no")}) as relay:
        acme.save(relay)

        deliver(acme.event(*(f"p{number}@example.org" for number in range(20))))

    assert set(acme.states().values()) == {"parked"}
    assert sum(command.startswith("AUTH") for command in relay.commands) == 1
