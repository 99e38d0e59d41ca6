"""One delivery's story: everything that was tried, what was answered, and why a mail did not arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3

from tests.functional.deliver.stack import LOGIN
from tests.functional.deliveries.conftest import ANA, BO, deliver_now
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme
    from tests.functional.deliveries.conftest import Admin

_HOUR = timedelta(hours=1)


def test_every_line_is_there_with_raw_reply_and_remedy(acme: Acme, deliver: Invoke, viewer: Admin) -> None:
    with Relay(**LOGIN, script={f"rcpt {ANA}": [Say("452 4.2.2 no room just now")]}) as relay:
        acme.save(relay)
        event = acme.event(ANA)
        deliver(event)
        deliver_now(acme, deliver, ANA)

        story = viewer.story(ANA)

    first, last = story["log"]
    assert [line["state"] for line in (first, last)] == ["deferred", "accepted"] == [first["state"], story["state"]]
    assert first["reply"] == {"phase": "rcpt", "code": 452, "enhanced": "4.2.2", "text": "4.2.2 no room just now"}
    assert first["remedy"]
    assert (first["mail_account_id"], first["attempt"], first["redriven_by"]) == (acme.account_id, 1, None)
    assert (last["reply"]["phase"], last["reply"]["code"], last["remedy"]) == ("data", 250, None)
    assert story["attempt"] == 2
    assert story["message_id"] == acme.deliveries()[ANA]["message_id"]
    assert story["notification"] | {"received_at": None} == {
        "source": "/tests",
        "id": event["id"],
        "type": "incident.created",
        "subject": event["subject"],
        "received_at": None,
    }


def test_useful_life_is_told_as_the_publisher_or_the_family_has_it(acme: Acme, deliver: Invoke, viewer: Admin) -> None:
    until = datetime.now(UTC) + _HOUR
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event(BO)
        event["data"]["options"] = {"expires_at": until.isoformat()}
        deliver(acme.event(ANA), event)

    received = datetime.fromisoformat(viewer.story(ANA)["notification"]["received_at"])
    assert datetime.fromisoformat(viewer.story(ANA)["expires_at"]) == received + 6 * _HOUR
    assert datetime.fromisoformat(viewer.story(BO)["expires_at"]) == until


def test_an_expiry_at_the_beginning_of_the_calendar_was_when_it_came(
    acme: Acme, deliver: Invoke, viewer: Admin
) -> None:
    acme.save(None)
    event = acme.event(ANA)
    event["data"]["options"] = {"expires_at": "0001-01-01T00:00:00+14:00"}
    assert deliver(event) == []

    story = viewer.story(ANA)

    assert story["state"] == "expired"
    assert story["expires_at"] == story["notification"]["received_at"]
    assert "re-drive" in story["remedy"]


def test_a_fall_back_says_instead_of_which_account_and_why(acme: Acme, deliver: Invoke, viewer: Admin) -> None:
    first = acme.account_id
    with Relay(**LOGIN, script={"auth": Say("535 5.7.8 no")}) as bad, Relay(**LOGIN) as good:
        acme.save(bad)
        acme.add_account(good, "01JD7Z0000000000000000NEXT", "project")
        deliver(acme.event(ANA))

        story = viewer.story(ANA)

    line = story["log"][-1]
    assert (line["state"], line["mail_account_id"]) == ("accepted", "01JD7Z0000000000000000NEXT")
    assert line["instead_of"]["mail_account_id"] == first
    assert line["instead_of"]["reason"]


def test_a_suppressed_delivery_says_what_to_do(acme: Acme, deliver: Invoke, viewer: Admin) -> None:
    acme.save(None)
    acme.suppress(ANA)
    deliver(acme.event(ANA))

    story = viewer.story(ANA)

    assert (story["state"], story["reply"]["phase"]) == ("suppressed", "settings")
    assert "suppressions" in story["remedy"]


def test_a_delivery_of_a_large_event_is_found_in_its_chunk(acme: Acme, deliver: Invoke, viewer: Admin) -> None:
    people = [f"p{number}@example.org" for number in range(101)]
    acme.save(None)
    acme.project = {"routes": {}}
    acme._save_project()  # noqa: SLF001  (what `save` does beside its account)
    deliver(acme.event(*people))
    deliver(*_pointers(), queue="BulkQueue")

    story = viewer.story(people[-1])

    assert (story["recipient"], story["delivery_id"].split("-")[1]) == (people[-1], "1")
    assert story["notification"]["source"] == "/tests"


def _pointers() -> list[str]:
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="BulkQueue")["QueueUrl"]
    answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer["Messages"]]


def test_the_journal_forgets_it_when_its_retention_is_over(acme: Acme, deliver: Invoke) -> None:
    """`RetentionDays` of the stack in these tests is 30."""
    acme.save(None)
    deliver(acme.event(ANA))

    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="DeliveriesTable")
    kept = [int(item["ttl"]["N"]) for page in pages for item in page["Items"]]
    expected = (datetime.now(UTC) + timedelta(days=30)).timestamp()
    assert len(kept) == 3  # the notification, the lease and the delivery
    assert all(abs(ttl - expected) < 60 for ttl in kept)
