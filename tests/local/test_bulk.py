"""One event for a whole list of recipients: it is cut, and everybody gets one mail. `--full`: a hundred thousand."""

from __future__ import annotations

import json
import time
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.ports import HOST
from local.samples import publish
from local.stack import STAGE
from tests.local.conftest import running_local
from tests.local.events import new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.samples import Sample
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

PROJECT_ID = "bulk"
ACCOUNT_ID = "01JD7W5K2M4P6R8T0V2X4ZBULK"
CONNECTIONS = 8
RECIPIENTS, RECIPIENTS_OF_FULL = 1_500, 100_000
SECONDS, SECONDS_OF_FULL = 300, 14_400
FULL = {"DeliverTimeout": "60", "QueueVisibilityTimeout": "360"}
"""As in the cloud: the short times of this machine's stacks are for tests that wait for a crash."""


@pytest.fixture
def any_local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Local]:
    """The stack that all tests share; in the long form one of its own."""
    if not request.config.getoption("--full"):
        yield request.getfixturevalue("local")
        return
    request.getfixturevalue("built")
    with running_local(tmp_path, parameters=FULL) as local:
        yield local


def test_everybody_on_a_list_gets_one_mail(any_local: Local, pytestconfig: pytest.Config) -> None:
    is_full, local = pytestconfig.getoption("--full"), any_local
    people = [f"reader-{number}@bulk.example" for number in range(RECIPIENTS_OF_FULL if is_full else RECIPIENTS)]
    _save_project(local)
    sample = new_event()
    del sample.event["data"]["recipients"]
    sample.event["data"] |= {"project": {"id": PROJECT_ID}, "recipients_ref": _upload(people, local)}
    begun = time.monotonic()
    publish([sample], local.stack)

    seconds = SECONDS_OF_FULL if is_full else SECONDS
    wait_until(lambda: len(_mails(local)) >= len(people), "all mails", within_seconds=seconds)
    print(f"{len(people)} mails in {time.monotonic() - begun:.0f} s")  # noqa: T201  (`-s` shows it)
    wait_until(lambda: not _messages_left(local), "no message left", within_seconds=60)

    assert _mails(local) == dict.fromkeys(people, 1)
    states = _states(sample, local)
    assert states == dict.fromkeys(people, "accepted")


def _mails(local: Local) -> Counter[str]:
    """How many mails each reader got. The stack's other tests write to other people."""
    return Counter(mail.rcpt_to for mail in local.inbox.mailbox.mails() if mail.rcpt_to.endswith("@bulk.example"))


def _upload(people: list[str], local: Local) -> dict[str, str]:
    content = "".join(json.dumps({"email": person, "locale": "en"}) + "\n" for person in people).encode()
    bucket, key = local.stack.outputs["PayloadBucketName"], f"{PROJECT_ID}/lists/{uuid4().hex}"
    stored = local.stack.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return {"bucket": bucket, "key": key, "version_id": stored["VersionId"], "sha256": sha256(content).hexdigest()}


def _states(sample: Sample, local: Local) -> dict[str, str]:
    """What the journal says of every delivery of every chunk."""
    table, states = local.stack.table("DeliveriesTable"), dict[str, str]()
    partition = sample.journal_key.removesuffix("0")
    request: dict[str, Any] = {
        "ProjectionExpression": "pk, sk, #state",
        "ExpressionAttributeNames": {"#state": "state"},
    }
    while request:
        answer = table.scan(**request)
        for item in answer["Items"]:
            if item["pk"].startswith(partition) and not item["sk"].startswith("#"):
                states[item["sk"]] = item["state"]
        last = answer.get("LastEvaluatedKey")
        request = request | {"ExclusiveStartKey": last} if last else {}
    return states


def _messages_left(local: Local) -> int:
    """How many messages of the stack's queues are waiting, delayed or in a function's hands."""
    kinds = ("", "NotVisible", "Delayed")
    names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
    urls = [local.stack.outputs["NotificationQueueUrl"], local.stack.resources["BulkQueue"]]
    sqs = local.stack.client("sqs")
    answers = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
    return sum(int(number) for answer in answers for number in answer.values())


def _save_project(local: Local) -> None:
    """A project whose one account may have several connections."""
    inbox = local.inbox
    relay = {"host": HOST, "port": inbox.smtp_port, "security": "starttls"}
    account = {
        "name": "Bulk",
        "relay": relay | {"timeout_seconds": 20, "ca_certificate": inbox.ca_certificate},
        "auth": {"type": "password", "username": inbox.username},
        "senders": [{"name": "Acme", "email": "news@acme.example"}],
        "limits": {"connections": CONNECTIONS},
    }
    secret = {"saved_for": relay | {"username": inbox.username}, "password": inbox.password}
    stored = local.stack.client("secretsmanager").create_secret(
        Name=f"tocsin/{STAGE}/{PROJECT_ID}/{ACCOUNT_ID}",
        SecretString=json.dumps(secret),
        KmsKeyId=local.stack.resources["Key"],
    )
    _put("project", {"name": "Bulk", "routes": {"incident": [ACCOUNT_ID]}}, local)
    _put(f"mail-account#{ACCOUNT_ID}", account, local, credential_version=stored["VersionId"])


def _put(sk: str, document: dict[str, Any], local: Local, **attributes: str) -> None:
    item = {"project_id": PROJECT_ID, "sk": sk, "version": 1, "document": json.dumps(document)}
    local.stack.table("SettingsTable").put_item(Item=item | attributes)
