"""SQS gives things out twice, functions die, and clocks go on: nobody is mailed twice, nobody is forgotten."""

from __future__ import annotations

import json
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack


@pytest.mark.parametrize("receive_count", [1, 2])
def test_an_event_that_comes_again_mails_nobody_again(acme: Acme, deliver: Invoke, receive_count: int) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org", "bo@example.org")

        deliver(event)
        assert deliver(event, receive_count=receive_count) == []

    assert len(relay.mails) == 2


def test_the_same_recipient_twice_gets_one_mail(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        deliver(acme.event("Ana@example.org", "ana@EXAMPLE.org", "ana@example.org"))

    assert [mail.rcpt_to for mail in relay.mails] == [("Ana@example.org",)]


def test_the_same_event_twice_in_one_batch_mails_once(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org")

        deliver(event, event, event)

    assert len(relay.mails) == 1


def test_another_event_with_the_same_identity_is_the_same_event(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org")
        deliver(event)
        event["data"]["recipients"] = [{"email": "bo@example.org"}]

        deliver(event)

    assert acme.states() == {"ana@example.org": "accepted"}


def test_a_deferred_delivery_is_submitted_again_when_it_is_due_with_its_message_id(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN, script={"rcpt": [Say("450 4.2.1 later")]}) as relay:
        acme.save(relay)
        deliver(acme.event("ana@example.org"))
        before = acme.deliveries()["ana@example.org"]
        pointer = acme.pointer()
        deliver(pointer, queue="BulkQueue")
        assert acme.states() == {"ana@example.org": "deferred"}
        acme.overwrite("ana@example.org", retry_at="2026-01-01T00:00:00.000000Z")

        assert deliver(pointer, queue="BulkQueue") == []

    after = acme.deliveries()["ana@example.org"]
    [mail] = relay.mails
    assert (after["state"], after["attempt"]) == ("accepted", 2)
    assert message_from_bytes(mail.content)["Message-ID"] == before["message_id"] == after["message_id"]
    assert "retry_at" not in after
    assert stack.messages("DeadLetterQueue") == []


def test_a_deferred_delivery_sends_its_chunk_to_the_bulk_queue_with_a_delay(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN, script={"rcpt": Say("450 4.2.1 later")}) as relay:
        acme.save(relay)
        deliver(acme.event("ana@example.org"))

    assert stack.delayed("BulkQueue", acme.id) == 1


def test_what_a_dead_function_had_in_flight_is_submitted_once_more_with_the_same_message_id(
    acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org", "bo@example.org")
        deliver(event)
        message_id = acme.deliveries()["ana@example.org"]["message_id"]
        acme.overwrite("ana@example.org", state="submitting")

        assert deliver(event, receive_count=2) == []

    delivery = acme.deliveries()["ana@example.org"]
    assert (delivery["state"], delivery["attempt"]) == ("accepted", 2)
    assert [mail.rcpt_to[0] for mail in relay.mails].count("bo@example.org") == 1
    assert [message_from_bytes(mail.content)["Message-ID"] for mail in relay.mails].count(message_id) == 2


def test_a_chunk_that_another_worker_owns_is_given_back_untouched(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org")
        deliver(event)
        acme.overwrite("ana@example.org", state="submitting")
        acme.own_chunk()

        assert deliver(event, receive_count=2) == ["message-0"]

    assert len(relay.mails) == 1
    assert acme.states() == {"ana@example.org": "submitting"}


@pytest.mark.parametrize(
    ("type_", "project", "submissions"),
    [
        pytest.param("incident.created", {}, 2, id="incident-once-more"),
        pytest.param("alert.created", {}, 2, id="alert-once-more"),
        pytest.param("status_page.incident_created", {}, 1, id="status-page-held"),
        pytest.param("status_page.incident_created", {"on_unknown": "resubmit"}, 2, id="status-page-as-told"),
    ],
)
def test_an_unknown_outcome_is_submitted_once_more_or_held(
    acme: Acme, deliver: Invoke, type_: str, project: dict[str, Any], submissions: int
) -> None:
    acme.project = project
    with Relay(**LOGIN, script={"content": Close()}) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org", type=type_)
        event["data"]["status_page"] = {"id": "1"}
        deliver(event)
        for _ in range(3):
            if "retry_at" in acme.deliveries()["ana@example.org"]:
                acme.overwrite("ana@example.org", retry_at="2026-01-01T00:00:00.000000Z")
            deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {"ana@example.org": "unknown"}
    assert len(relay.contents) == submissions
    assert len({message_from_bytes(content)["Message-ID"] for content in relay.contents}) == 1


@pytest.mark.parametrize("copies", [1, 2, 3])
@pytest.mark.parametrize(
    ("script", "tries"),
    [
        pytest.param({"content": Close()}, 2, id="unknown-is-submitted-once-more"),
        pytest.param({"content": Say("450 4.2.0 later")}, 2, id="deferred-is-tried-when-it-is-due"),
    ],
)
def test_however_many_messages_bring_a_chunk_back_each_try_is_one_mail(
    acme: Acme, deliver: Invoke, script: dict[str, Any], tries: int, copies: int
) -> None:
    acme.changes = {"limits": {"connections": 1}}
    with Relay(**LOGIN, script=script) as relay:
        acme.save(relay)
        deliver(acme.event("ana@example.org"))
        acme.overwrite("ana@example.org", retry_at="2026-01-01T00:00:00.000000Z")

        deliver(*[acme.pointer()] * copies, queue="BulkQueue")

    assert len(relay.contents) == tries
    assert acme.deliveries()["ana@example.org"]["attempt"] == tries


def test_what_is_past_its_useful_life_expires_unsent(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org")
        event["data"]["options"] = {"expires_at": "2026-01-01T00:00:00Z"}

        assert deliver(event) == []

    assert acme.states() == {"ana@example.org": "expired"}
    assert relay.connections == 0


def test_a_suppressed_address_is_not_mailed(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        acme.suppress("ana@example.org")

        deliver(acme.event("Ana@Example.org", "bo@example.org"))

    assert acme.states() == {"ana@example.org": "suppressed", "bo@example.org": "accepted"}
    assert [mail.rcpt_to for mail in relay.mails] == [("bo@example.org",)]


@pytest.mark.parametrize("wrap", ["eventbridge", "sns", "eventbridge-in-sns"])
def test_an_envelope_of_another_service_is_taken_off(acme: Acme, deliver: Invoke, wrap: str) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        body: dict[str, Any] = acme.event("ana@example.org")
        if wrap.startswith("eventbridge"):
            body = {"version": "0", "detail-type": "incident.created", "source": "monitoring", "detail": body}
        if wrap.endswith("sns"):
            body = {"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(body)}

        deliver(body)

    assert acme.states() == {"ana@example.org": "accepted"}


def test_the_second_account_of_a_route_is_used_only_if_the_project_allows_it(acme: Acme, deliver: Invoke) -> None:
    for policy, state in (("none", "parked"), ("project", "accepted")):
        with Relay(**LOGIN) as relay:
            acme = type(acme)(changes={"enabled": False})
            acme.save(relay)
            acme.add_account(relay, "01JD7Z0000000000000000SPARE", policy)

            deliver(acme.event("ana@example.org"))

        assert acme.states() == {"ana@example.org": state}
