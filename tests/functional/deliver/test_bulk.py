"""Lists of recipients: cut whole though the function dies in the middle, in little memory, fairly between projects."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin.adapters.journal_items import unpack

from tests.contract.template import ROOT, TEMPLATE
from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.deliver.trouble import LOST_ANSWER, refused, trouble_with_aws
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Json, Stack
    from tests.functional.deliver.trouble import Call, Trouble

THROTTLED = refused("ThrottlingException")


def people(number: int) -> list[str]:
    """So many addresses."""
    return [f"p{index}@example.org" for index in range(number)]


def list_event(acme: Acme, recipients: list[str]) -> Json:
    """An event that names its recipients by reference."""
    content = "".join(json.dumps({"email": recipient}) + "\n" for recipient in recipients).encode()
    key = f"{acme.id}/lists/1"
    version = boto3.client("s3").put_object(Bucket="payloads", Key=key, Body=content)["VersionId"]
    digest = hashlib.sha256(content).hexdigest()
    event = acme.event()
    del event["data"]["recipients"]
    event["data"]["recipients_ref"] = {"bucket": "payloads", "key": key, "version_id": version, "sha256": digest}
    return event


def stored_chunks(acme: Acme) -> dict[int, list[str]]:
    """The recipients of each stored chunk of the project."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="DeliveriesTable")
    items: list[Any] = [item for page in pages for item in page["Items"]]
    return {
        int(item["pk"]["S"].rpartition("#")[2]): _emails(unpack(bytes(item["event"]["B"])))
        for item in items
        if item["sk"]["S"] == "#notification" and item["pk"]["S"].startswith(f"{acme.id}#")
    }


def _emails(event: Json) -> list[str]:
    return [recipient["email"] for recipient in event["data"]["recipients"]]


@pytest.mark.parametrize("trouble", [THROTTLED, LOST_ANSWER], ids=["before-a-call", "behind-a-call"])
def test_a_function_that_ends_at_any_call_of_a_cut_leaves_it_to_be_done_again(
    stack: Stack, deliver: Invoke, trouble: Trouble
) -> None:
    everybody = people(2_650)
    number, ended = 0, True
    while ended:
        acme = Acme()
        acme.save(None)
        event = list_event(acme, everybody)
        with trouble_with_aws(trouble, at=lambda call, last=number: call.number >= last) as calls:  # type: ignore[misc]
            ended = bool(deliver(event))

        assert deliver(event, receive_count=2) == []

        chunks = stored_chunks(acme)
        pointers = [json.loads(pointer) for pointer in stack.pointers(acme.id)]
        assert sorted(chunks) == sorted({pointer["number"] for pointer in pointers}) == list(range(27))
        assert [person for chunk in sorted(chunks) for person in chunks[chunk]] == everybody
        stack.forget_deliveries()
        number += 1
    assert number - 1 == len(calls) == 8  # list, project, first chunk, 25 more, the last, 27 pointers in tens


def test_lists_of_one_batch_are_read_and_cut_one_after_the_other(acme: Acme, deliver: Invoke) -> None:
    acme.save(None)
    events = [list_event(acme, people(150)) for _ in range(5)]

    with trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
        assert deliver(*events) == []

    begun_and_done = [call.name for call in calls if call.name in {"GetObject", "SendMessageBatch"}]
    assert begun_and_done == ["GetObject", "SendMessageBatch"] * 5


def test_the_longest_list_is_cut_within_the_functions_memory_and_time() -> None:
    command = [sys.executable, "-m", "tests.functional.deliver.longest_list"]
    took = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)  # noqa: S603

    memory = TEMPLATE["Globals"]["Function"]["MemorySize"] * 1024**2
    assert took["octets"] > 23 * 1024**2
    assert took["chunks"] == 1000
    assert took["peak_octets"] < memory * 3 / 4
    assert took["cpu_seconds"] < 20


def test_a_stored_chunk_that_finds_no_connection_comes_back_and_is_not_written_to(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.changes = {"limits": {"connections": 1}}
        acme.save(relay)
        fleet.publish(acme.event(*people(101)))
        fleet.work_once()
        _let_another_have_the_connection(acme, fleet)

        with trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
            fleet.work_once()
        assert "TransactWriteItems" not in {call.name for call in calls}
        assert len(fleet.queue.messages) == 2
        fleet.work_until_done()

    assert acme.states() == dict.fromkeys(people(101), "accepted")
    assert {len(delivery["log"]) for delivery in acme.deliveries().values()} == {1}


def _let_another_have_the_connection(acme: Acme, fleet: Fleet) -> None:
    document = {"holder": "another", "ends_at": (fleet.clock.now + timedelta(seconds=60)).isoformat()}
    item = {"pk": {"S": f"slot#{acme.id}#{acme.account_id}#0"}, "version": {"N": "1"}}
    boto3.client("dynamodb").put_item(
        TableName="EphemeralTable", Item={**item, "document": {"S": json.dumps(document)}}
    )


@pytest.mark.parametrize(
    ("recipients", "script"),
    [
        pytest.param(150, {}, id="chunks-of-a-large-event"),
        pytest.param(1, {"rcpt": Say("450 4.2.1 later")}, id="a-deferred-delivery"),
    ],
)
def test_what_we_send_to_the_bulk_queue_is_grouped_by_project(
    acme: Acme, deliver: Invoke, recipients: int, script: dict[str, Any]
) -> None:
    with Relay(**LOGIN, script=script) as relay, trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
        acme.save(relay)
        deliver(acme.event(*people(recipients)))

    [sent] = [_entries(call) for call in calls if call.name == "SendMessageBatch"]
    assert len(sent) == -(-recipients // 100)
    assert {entry["MessageGroupId"] for entry in sent} == {acme.id}


def _entries(call: Call) -> list[Json]:
    entries: list[Json] = json.loads(call.body)["Entries"]
    return entries
