"""Events with more recipients than a chunk holds are cut, and each chunk is delivered on its own."""

from __future__ import annotations

import hashlib
import json
from email import message_from_bytes
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack


THROTTLED = refused("ThrottlingException")


def _people(number: int) -> list[str]:
    return [f"p{index}@example.org" for index in range(number)]


def test_one_more_recipient_than_a_chunk_holds_makes_two_chunks_that_mail_once_however_often_they_come(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    people = _people(101)
    event = acme.event(*people)
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        for receive_count in (1, 2):
            assert deliver(event, receive_count=receive_count) == []
            pointers = stack.pointers(acme.id)
            assert len(pointers) == 2
            assert all("@" not in pointer for pointer in pointers)
            for pointer in pointers:
                assert deliver(pointer, queue="BulkQueue") == []

    assert sorted(mail.rcpt_to[0] for mail in relay.mails) == sorted(people)
    assert set(acme.states().values()) == {"accepted"}


def test_ten_thousand_recipients_become_a_hundred_chunks(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    acme.save(None)

    assert deliver(acme.event(*_people(10_000))) == []

    chunks = [json.loads(pointer)["number"] for pointer in stack.pointers(acme.id)]
    assert sorted(chunks) == list(range(100))


def test_a_large_event_with_the_identity_of_another_is_rejected(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    acme.save(None)
    event = acme.event(*_people(120))
    deliver(event)
    event["data"]["recipients"] = event["data"]["recipients"][1:]

    deliver(event)

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["reason"].startswith("id_reused: ")


@pytest.mark.parametrize("stored", ["as-a-whole", "in-part"])
def test_a_large_event_that_comes_again_with_another_text_says_what_it_said_first_in_every_chunk(
    stack: Stack, acme: Acme, deliver: Invoke, stored: str
) -> None:
    people = _people(250)
    event = acme.event(*people)
    event["data"]["options"] = {"cc": [{"email": "cleo@example.org"}]}
    again = json.loads(json.dumps(event)) | {"subject": "another"}
    again["data"]["incident"]["title"] = "Something else"
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        ends = trouble_with_aws(THROTTLED, at=lambda call: call.name == "BatchWriteItem" and stored == "in-part")
        with ends:
            assert deliver(event) == ([] if stored == "as-a-whole" else ["message-0"])
        stack.pointers(acme.id)

        assert deliver(again) == []
        for pointer in stack.pointers(acme.id):
            assert deliver(pointer, queue="BulkQueue") == []

    assert sorted(mail.rcpt_to[0] for mail in relay.mails) == sorted([*people, "cleo@example.org"])
    subjects = {message_from_bytes(mail.content)["Subject"] for mail in relay.mails}
    assert len(subjects) == 1
    assert "Checkout is down" in subjects.pop()


def test_recipients_by_reference_are_read_from_the_projects_own_prefix(acme: Acme, deliver: Invoke) -> None:
    content = b'{"email": "ana@example.org", "name": "Ana"}\n\n{"email": "bo@example.org"}\n'
    key = f"{acme.id}/lists/1"
    version = boto3.client("s3").put_object(Bucket="payloads", Key=key, Body=content)["VersionId"]
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event()
        del event["data"]["recipients"]
        event["data"]["recipients_ref"] = {
            "bucket": "payloads",
            "key": key,
            "version_id": version,
            "sha256": hashlib.sha256(content).hexdigest(),
        }

        assert deliver(event) == []

    assert acme.states() == {"ana@example.org": "accepted", "bo@example.org": "accepted"}


def test_an_event_too_large_for_an_item_is_kept_in_the_bucket_and_delivered(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event("ana@example.org")
        noise = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(12_000))
        event["data"]["incident"]["description"] = noise

        deliver(event)
        deliver(event, receive_count=2)

    assert acme.states() == {"ana@example.org": "accepted"}
    assert len(relay.mails) == 1
