"""What is no valid event goes to the dead-letter queue at once, whole, with its reason; nothing is mailed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_NESTED = "[" * 100_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("not json", "not_json", id="not-json"),
        pytest.param("", "not_json", id="empty"),
        pytest.param(_NESTED, "not_json", id="nested-too-deep"),
        pytest.param("[]", "not_an_object", id="a-list"),
        pytest.param("null", "not_an_object", id="null"),
        pytest.param("x" * 1_000_001, "too_large", id="nonsense-over-the-limit"),
        pytest.param("x" * 1_000_000, "not_json", id="one-megabyte-of-nonsense"),
        pytest.param("{}", "wrong_specversion", id="no-attributes"),
        pytest.param('{"Type": "Notification", "Message": "no json either"}', "not_json", id="sns-around-nonsense"),
        pytest.param('{"detail-type": "x", "detail": {}}', "wrong_specversion", id="eventbridge-around-nothing"),
    ],
)
def test_a_body_that_is_no_event_is_dead_lettered(stack: Stack, deliver: Invoke, body: str, reason: str) -> None:
    assert deliver(body) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["body"] == body
    assert letter["reason"].startswith(f"{reason}: ")
    [event] = stack.events()
    assert (event["detail-type"], event["detail"]["reason"]) == ("notification.rejected", reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"specversion": "0.3"}, "wrong_specversion", id="wrong-specversion"),
        pytest.param({"type": "incident.exploded"}, "unknown_type", id="unknown-type"),
        pytest.param({"id": ""}, "invalid_envelope", id="empty-id"),
        pytest.param({"id": "x" * 257}, "invalid_envelope", id="long-id"),
        pytest.param({"source": "a\nb"}, "invalid_envelope", id="line-end-in-source"),
        pytest.param({"time": "yesterday"}, "invalid_envelope", id="no-time"),
        pytest.param({"data": None}, "invalid_data", id="no-data"),
        pytest.param({"data": "text"}, "invalid_data", id="data-is-text"),
        pytest.param({"data.recipients": []}, "no_recipients", id="no-recipients"),
        pytest.param({"data.recipients": None}, "invalid_data", id="recipients-missing"),
        pytest.param({"data.recipients": [{"name": "Ana"}]}, "invalid_data", id="recipient-without-address"),
        pytest.param({"data.incident": None}, "invalid_data", id="no-incident"),
        pytest.param({"data.incident": {"id": "1"}}, "invalid_data", id="no-title"),
        pytest.param({"data.project": {"id": "Acme!"}}, "invalid_data", id="bad-project-id"),
        pytest.param({"data.project": {"id": "_system"}}, "invalid_data", id="reserved-project"),
        pytest.param({"data.project": {"id": "nobody"}}, "unknown_project", id="unknown-project"),
        pytest.param({"data.options": {"attachments": [{"name": "a"}]}}, "bad_attachment", id="attachment"),
    ],
)
def test_an_event_that_breaks_the_contract_is_dead_lettered(
    stack: Stack, acme: Acme, deliver: Invoke, change: dict[str, Any], reason: str
) -> None:
    acme.save(None)
    event = acme.event()
    for path, value in change.items():
        _set(event, path, value)

    assert deliver(event) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert json.loads(letter["body"]) == event
    assert letter["reason"].startswith(f"{reason}: ")
    assert len(letter["reason"]) <= 256
    assert letter["reason"].isprintable()
    assert acme.states() == {}


@pytest.mark.parametrize("wrap", ["bare", "sns", "eventbridge"])
@pytest.mark.parametrize(
    "path",
    [
        "id",
        "source",
        "type",
        "subject",
        "extension",
        "data.project.id",
        "data.project.name",
        "data.recipients.0.email",
        "data.recipients.0.name",
        "data.recipients.0.locale",
        "data.incident.id",
        "data.incident.title",
        "data.incident.description",
        "data.incident.resources.0",
        "data.options.mail_account_id",
        "data.unknown.\udfff",
    ],
)
def test_half_a_surrogate_pair_is_dead_lettered_wherever_it_stands(
    stack: Stack, acme: Acme, deliver: Invoke, path: str, wrap: str
) -> None:
    acme.save(None)
    event = acme.event()
    event["data"] |= {"options": {}, "unknown": {}}
    event["data"]["incident"]["resources"] = ["Checkout"]
    _set(event, path, "half \ud83d a face")
    wrapped = {"bare": event, "sns": {"Type": "Notification", "Message": json.dumps(event)}}
    body = json.dumps(wrapped.get(wrap, {"detail-type": "x", "detail": event}))

    assert deliver(body) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["body"] == body
    place = path.encode("ascii", errors="replace").decode()
    assert letter["reason"] == f"not_unicode: {place}: it holds one half of a surrogate pair"
    [told] = stack.events()
    assert told["detail"]["reason"] == "not_unicode"
    assert json.dumps(told, ensure_ascii=False).encode()


def test_a_whole_surrogate_pair_is_a_character(acme: Acme, deliver: Invoke) -> None:
    acme.save(None)
    event = acme.event()
    event["data"]["incident"]["title"] = "Down \ud83d\ude31"

    assert deliver(json.dumps(event)) == []

    assert set(acme.states().values()) == {"deferred"}


def test_the_reason_names_the_place_and_never_a_value(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    event = acme.event()
    event["data"]["incident"]["declared_at"] = "secret-value"

    deliver(event)

    [letter] = stack.messages("DeadLetterQueue")
    assert "data.incident.declared_at" in letter["reason"]
    assert "secret-value" not in letter["reason"]


def test_a_body_too_large_for_the_queue_is_dead_lettered_by_reference(stack: Stack, deliver: Invoke) -> None:
    body = "x" * 1_048_576

    deliver(body)

    [letter] = stack.messages("DeadLetterQueue")
    reference = json.loads(letter["body"])["body_ref"]
    stored = boto3.client("s3").get_object(Bucket=reference["bucket"], Key=reference["key"])
    assert stored["Body"].read().decode() == body
    assert letter["reason"].startswith("too_large: ")


@pytest.mark.parametrize(
    ("key", "content", "digest", "reason"),
    [
        pytest.param(
            "other-project/list", b'{"email": "a@example.org"}', None, "foreign_reference", id="foreign-prefix"
        ),
        pytest.param("{project}/missing", None, "0" * 64, "reference_not_found", id="not-there"),
        pytest.param("{project}/list", b'{"email": "a@example.org"}', "0" * 64, "reference_digest", id="other-content"),
        pytest.param("{project}/list", b"", None, "no_recipients", id="empty-list"),
        pytest.param("{project}/list", b'{"email": "a@example.org"}\nx', None, "invalid_recipients", id="broken-line"),
    ],
)
def test_a_recipient_list_that_cannot_be_used_is_rejected(
    stack: Stack, acme: Acme, deliver: Invoke, key: str, content: bytes | None, digest: str | None, reason: str
) -> None:
    acme.save(None)
    key = key.format(project=acme.id)
    version = "0" * 32
    if content is not None:
        version = boto3.client("s3").put_object(Bucket="payloads", Key=key, Body=content)["VersionId"]
    event = acme.event()
    event["data"]["recipients"] = None
    event["data"]["recipients_ref"] = {
        "bucket": "payloads",
        "key": key,
        "version_id": version,
        "sha256": digest or hashlib.sha256(content or b"").hexdigest(),
    }

    assert deliver(event) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["reason"].startswith(f"{reason}: ")


@pytest.mark.parametrize(
    "body", ["not json", "[]", '{"project_id": "a"}', '{"project_id": 1, "notification_key": "k", "number": 0}']
)
def test_a_bulk_message_that_names_no_chunk_is_dead_lettered(stack: Stack, deliver: Invoke, body: str) -> None:
    assert deliver(body, queue="BulkQueue") == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["reason"].startswith("not_a_chunk: ")


def _set(event: dict[str, Any], path: str, value: object) -> None:
    *parents, name = path.split(".")
    target: Any = event
    for parent in parents:
        target = target[int(parent) if parent.isdigit() else parent]
    target[int(name) if name.isdigit() else name] = value
