"""Files go along with every mail as they came, are read once, and are refused with a reason where they cannot go."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from email import message_from_bytes
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from icalendar import Calendar
from tocsin.actions.read_attachments import FILE_OCTETS
from tocsin.adapters.journal_items import unpack

from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.test_bulk import people
from tests.functional.deliver.trouble import LOST_ANSWER, refused, trouble_with_aws
from tests.relay import Relay, Say
from tests.unit.compose.mails import sample

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json, Stack

STRICT = SMTP.clone(raise_on_defect=True)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
LOG = "12:01 höher\n".encode()
PICTURE = {
    "name": "chart.png",
    "content_type": "image/png",
    "inline": True,
    "content_id": "chart",
    "content_base64": b64encode(PNG).decode(),
}


def stored(acme: Acme, content: bytes, name: str = "log.txt") -> Json:
    """An attachment by reference, in the project's own folder of the bucket."""
    key = f"{acme.id}/files/{name}"
    version = boto3.client("s3").put_object(Bucket="payloads", Key=key, Body=content)["VersionId"]
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "ref": {"bucket": "payloads", "key": key, "version_id": version, "sha256": digest}}


def with_files(event: Json, *attachments: Json) -> Json:
    event["data"]["options"] = {"attachments": [*attachments]}
    return event


def files_of(content: bytes) -> dict[str, bytes]:
    """The files of a mail as it came to the relay, by their names."""
    message: EmailMessage = message_from_bytes(content, policy=STRICT)
    parts = [part for part in message.walk() if part.get_filename() is not None]
    return {str(part.get_filename()): part.get_payload(decode=True) for part in parts}  # type: ignore[misc]  # octets, decoded


def test_every_recipient_gets_the_files_as_they_came_and_each_is_read_once(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = with_files(acme.event(*people(3)), PICTURE, stored(acme, LOG))
        event["data"]["incident"]["description"] = "![rising](cid:chart)"

        with trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
            assert deliver(event) == []

    assert [files_of(content) for content in relay.contents] == [{"chart.png": PNG, "log.txt": LOG}] * 3
    assert [call.name for call in calls].count("GetObject") == 1
    assert all(b'<img src=3D"cid:chart" alt=3D"rising"' in content.replace(b"=\r\n", b"") for content in relay.contents)
    assert set(acme.states().values()) == {"accepted"}


def test_chunks_hold_references_to_what_is_stored_once(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        with trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
            assert deliver(with_files(acme.event(*people(101)), PICTURE)) == []
            chunks = stored_events()
            [last] = [pointer for pointer in stack.pointers(acme.id) if json.loads(pointer)["number"] == 1]
            assert deliver(last, queue="BulkQueue") == []

    assert [call.name for call in calls].count("PutObject") == 1
    assert [call.name for call in calls].count("GetObject") == 1
    assert len(chunks) == 2
    assert all("content_base64" not in json.dumps(chunk) for chunk in chunks)
    assert [files_of(content) for content in relay.contents] == [{"chart.png": PNG}]


def stored_events() -> list[Json]:
    """The events of all stored chunks, in order."""
    items: list[Any] = boto3.client("dynamodb").scan(TableName="DeliveriesTable")["Items"]
    chunks = sorted((item for item in items if item["sk"]["S"] == "#notification"), key=lambda item: item["pk"]["S"])
    return [unpack(bytes(item["event"]["B"])) for item in chunks]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"key": "other/files/log.txt"}, "foreign_reference", id="another-project"),
        pytest.param({"bucket": "elsewhere"}, "foreign_reference", id="another-bucket"),
        pytest.param({"sha256": "0" * 64}, "reference_digest", id="another-content"),
        pytest.param({"version_id": "0" * 32}, "reference_not_found", id="not-there"),
    ],
)
def test_a_reference_that_does_not_hold_is_rejected(
    stack: Stack, acme: Acme, deliver: Invoke, changes: Json, reason: str
) -> None:
    acme.save(None)
    attachment = stored(acme, LOG)
    attachment["ref"] |= changes

    assert deliver(with_files(acme.event(), PICTURE, attachment)) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["reason"].startswith(f"{reason}: data.options.attachments.1: ")
    assert acme.states() == {}


@pytest.mark.parametrize("recipients", [1, 101], ids=["one-recipient", "two-chunks"])
@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("log.txt", bytes(FILE_OCTETS + 1), "attachment_too_large", id="too-large"),
        pytest.param("report.pdf", b"MZ\x90\x00", "attachment_refused", id="a-program"),
    ],
)
def test_a_file_that_may_not_go_along_is_rejected_before_anything_is_sent(
    stack: Stack, acme: Acme, deliver: Invoke, name: str, content: bytes, reason: str, recipients: int
) -> None:
    acme.save(None)

    assert deliver(with_files(acme.event(*people(recipients)), stored(acme, content, name))) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["reason"].startswith(f"{reason}: ")
    assert name not in letter["reason"]
    assert stack.pointers(acme.id) == []


def test_a_bucket_that_is_busy_costs_nothing_but_time(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = with_files(acme.event(), stored(acme, LOG))
        with trouble_with_aws(refused("SlowDown", status=503), at=lambda call: call.name == "GetObject"):
            assert deliver(event) == ["message-0"]
        assert deliver(event, receive_count=2) == []

    assert [files_of(content) for content in relay.contents] == [{"log.txt": LOG}]


def _deferred(acme: Acme, deliver: Invoke, event: Json) -> None:
    assert deliver(event) == []
    assert acme.states() == {"ana@example.org": "deferred"}
    acme.overwrite("ana@example.org", retry_at="2026-01-01T00:00:00.000000Z")


def test_a_mail_that_goes_later_brings_its_files(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, script={"rcpt": [Say("450 4.2.1 later")]}) as relay:
        acme.save(relay)
        _deferred(acme, deliver, with_files(acme.event("ana@example.org"), PICTURE, stored(acme, LOG)))

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert [files_of(content) for content in relay.contents] == [{"chart.png": PNG, "log.txt": LOG}]


def test_a_deferred_mail_whose_file_is_gone_is_not_sent_without_it_and_says_what_to_do(
    acme: Acme, deliver: Invoke
) -> None:
    attachment = stored(acme, LOG)
    place = {"Bucket": "payloads", "Key": attachment["ref"]["key"], "VersionId": attachment["ref"]["version_id"]}
    with Relay(**LOGIN, script={"rcpt": [Say("450 4.2.1 later")]}) as relay:
        acme.save(relay)
        _deferred(acme, deliver, with_files(acme.event("ana@example.org"), attachment))
        boto3.client("s3").delete_object(**place)

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    delivery = acme.deliveries()["ana@example.org"]
    assert (delivery["state"], delivery["log"][-1]["remedy_id"]) == ("deferred", "attachment-missing")
    assert relay.contents == []


def test_a_mail_larger_than_the_relay_takes_is_refused_and_says_what_to_do(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, offers=("PIPELINING", "SIZE 100000")) as relay:
        acme.save(relay)
        assert deliver(with_files(acme.event(), stored(acme, bytes(90_000)))) == []

    delivery = acme.deliveries()["ana@example.org"]
    assert (delivery["state"], delivery["log"][-1]["remedy_id"]) == ("refused", "message-over-relay-limit")
    assert relay.contents == []


def test_notifications_with_large_files_go_one_after_the_other(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        attachment = stored(acme, bytes(1_000_000), "dump.dat")

        assert deliver(*(with_files(acme.event(), attachment) for _ in range(3))) == []

    assert [len(files_of(content)["dump.dat"]) for content in relay.contents] == [1_000_000] * 3


@pytest.mark.parametrize(
    ("project", "event", "brings"),
    [
        pytest.param({}, {}, True, id="as-a-rule"),
        pytest.param({}, {"calendar": False}, False, id="but-not-if-the-publisher-wants-none"),
        pytest.param({"calendar": False}, {}, False, id="or-the-project"),
        pytest.param({"calendar": False}, {"calendar": True}, True, id="of-whom-the-publisher-comes-first"),
    ],
)
def test_a_mail_about_a_maintenance_brings_an_entry_for_calendars(
    acme: Acme,
    deliver: Invoke,
    project: Json,
    event: Json,
    brings: bool,  # noqa: FBT001  (a table's)
) -> None:
    with Relay(**LOGIN) as relay:
        acme.project = project | {"routes": {"system": [acme.account_id]}}
        acme.save(relay)
        assert deliver(_maintenance(acme, event)) == []

    assert [b"BEGIN:VCALENDAR" in file for file in files_of(relay.contents[0]).values()] == [True] * brings


def _maintenance(acme: Acme, options: Json) -> Json:
    event = sample("maintenance.created")
    event["data"] |= {"project": {"id": acme.id}, "recipients": [{"email": "ana@example.org"}], "options": options}
    return event


def test_the_organizer_of_a_maintenance_is_the_sender(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.project = {"routes": {"system": [acme.account_id]}}
        acme.save(relay)
        assert deliver(_maintenance(acme, {})) == []

    [entry] = Calendar.from_ical(files_of(relay.contents[0])["maintenance.ics"]).walk("VEVENT")
    assert str(entry["SUMMARY"]) == "Database upgrade"
    assert str(entry["ORGANIZER"]) == "mailto:ops@acme.example"
