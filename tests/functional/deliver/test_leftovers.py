"""What a dead function or a lost connection left behind comes to an end, also where it can no longer be submitted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.chunk import Chunk

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_PAST = "2026-01-01T00:00:00.000000Z"


def _change_account(acme: Acme, **changes: Any) -> None:  # noqa: ANN401  (JSON)
    """Change the stored account while the delivery waits; the cache of 10 s must not hide it."""
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    wiring.settings_store.cache_clear()
    wiring.receive.cache_clear()
    acme.change(**changes)


def _left_in_flight(acme: Acme, deliver: Invoke, relay: Relay) -> None:
    _delivered(acme, deliver, relay, state="submitting")


def _delivered(acme: Acme, deliver: Invoke, relay: Relay, **left_as: str) -> None:
    acme.save(relay)
    deliver(acme.event("ana@example.org"))
    acme.overwrite("ana@example.org", **left_as)
    relay.mails.clear()


@pytest.mark.parametrize(
    "account",
    [
        pytest.param({"paused": True}, id="account-paused"),
        pytest.param({"senders": [{"email": "nobody"}]}, id="no-sender"),
    ],
)
def test_what_a_dead_function_had_in_flight_is_parked_where_its_account_can_no_longer_send(
    acme: Acme, deliver: Invoke, account: dict[str, Any]
) -> None:
    with Relay(**LOGIN) as relay:
        _left_in_flight(acme, deliver, relay)
        _change_account(acme, **account)

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert acme.states() == {"ana@example.org": "parked"}
    assert relay.mails == []


@pytest.mark.parametrize(
    ("script", "account", "then", "attempt"),
    [
        pytest.param({}, {}, "accepted", 2, id="submitted-once-more"),
        pytest.param({}, {"paused": True}, "parked", 1, id="its-account-is-paused"),
        pytest.param({"auth": [None, Say("535 5.7.8 no")]}, {}, "parked", 1, id="its-login-is-refused"),
        pytest.param({"auth": [None, Close()]}, {}, "deferred", 2, id="its-relay-is-out-of-reach"),
        pytest.param({"rcpt": [None, Say("550 5.1.1 who?")]}, {}, "refused", 2, id="its-recipient-is-refused"),
    ],
)
def test_the_try_that_a_dead_function_did_not_tell_of_stays_in_the_history(
    acme: Acme, deliver: Invoke, script: dict[str, Any], account: dict[str, Any], then: str, attempt: int
) -> None:
    with Relay(**LOGIN, script=script) as relay:
        _left_in_flight(acme, deliver, relay)
        _change_account(acme, **account)

        deliver(acme.pointer(), queue="BulkQueue")

    delivery = acme.deliveries()["ana@example.org"]
    told = delivery["log"][1:]  # the first line is of the time before it was made a leftover
    assert [(line["state"], line["attempt"]) for line in told] == [("unknown", 1), (then, attempt)]
    assert (told[0]["reply"]["text"], told[0]["remedy_id"]) == ("left_in_flight", "left-in-flight")
    assert (delivery["state"], delivery["attempt"]) == (then, attempt)


def test_what_a_dead_function_had_in_flight_waits_for_its_account_with_the_try_it_had(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.changes = {"limits": {"per_minute": 1}}
        acme.save(relay)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()
        acme.overwrite("ana@example.org", state="submitting")
        fleet.queue.send([Chunk(**json.loads(acme.pointer()))])
        fleet.work_once()

    delivery = acme.deliveries()["ana@example.org"]
    assert [(line["state"], line["attempt"]) for line in delivery["log"][1:]] == [("unknown", 1), ("deferred", 1)]


def test_an_unknown_outcome_waits_while_its_account_cannot_send_and_is_then_submitted_once_more(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN) as relay:
        _delivered(acme, deliver, relay, state="unknown", retry_at=_PAST)
        _change_account(acme, paused=True)

        assert deliver(acme.pointer(), queue="BulkQueue") == []

        assert acme.states() == {"ana@example.org": "unknown"}
        assert stack.delayed("BulkQueue", acme.id) == 1
        _change_account(acme, paused=False)
        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {"ana@example.org": "accepted"}
    assert len(relay.mails) == 1


def test_an_unknown_outcome_is_not_submitted_to_an_address_that_was_suppressed_meanwhile(
    acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN) as relay:
        _delivered(acme, deliver, relay, state="unknown", retry_at=_PAST)
        acme.suppress("ana@example.org")

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert acme.states() == {"ana@example.org": "unknown"}
    assert relay.mails == []


def test_what_is_deferred_when_its_project_is_deleted_expires_and_is_told(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    people = [f"p{number}@example.org" for number in range(60)]
    with Relay(**LOGIN, script={"rcpt": Say("451 4.3.0 later")}) as relay:
        acme.save(relay)
        deliver(acme.event(*people))
        assert acme.states() == dict.fromkeys(people, "deferred")
        stack.events()
        acme.delete()

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    told = [(event["detail-type"], len(event["detail"]["deliveries"])) for event in stack.events()]
    assert (sorted(told), stack.messages("DeadLetterQueue")) == (
        [("delivery.expired", 10), ("delivery.expired", 50)],
        [],
    )
    for delivery in acme.deliveries().values():
        assert (delivery["state"], delivery["log"][-1]["reply"]["text"]) == ("expired", "unknown_project")
        assert not {"due_shard", "retry_at"} & delivery.keys()


@pytest.mark.parametrize(
    ("left_as", "state", "letters"),
    [("queued", "expired", 0), ("submitting", "unknown", 0), ("parked", "parked", 1), ("accepted", "accepted", 1)],
)
def test_whatever_is_left_of_a_project_that_was_deleted_comes_to_an_end(
    stack: Stack, acme: Acme, deliver: Invoke, left_as: str, state: str, letters: int
) -> None:
    with Relay(**LOGIN) as relay:
        _delivered(acme, deliver, relay, state=left_as)
        acme.delete()

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert acme.states() == {"ana@example.org": state}
    assert len(stack.messages("DeadLetterQueue")) == letters
