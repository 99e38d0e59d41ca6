"""What can never be delivered goes to the dead-letter queue at once, with its reason, and is acknowledged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.events import messages_left, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

POISON = {
    "not JSON": "certainly not {JSON",
    "unknown type": json.dumps(new_event().event | {"type": "incident.forgotten"}),
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON.keys())
def test_poison_becomes_a_dead_letter(body: str, local: Local) -> None:
    sqs = local.stack.client("sqs")

    sqs.send_message(QueueUrl=local.stack.outputs["NotificationQueueUrl"], MessageBody=body, MessageGroupId="acme")

    letter = wait_until(lambda: _dead_letter(body, sqs, local), "a dead letter")
    reason = letter["MessageAttributes"]["RejectReason"]["StringValue"]
    assert reason.isascii()
    assert 0 < len(reason) <= 256
    wait_until(lambda: messages_left(local) == 0, "an empty queue")


def _dead_letter(body: str, sqs: Any, local: Local) -> dict[str, Any] | None:  # noqa: ANN401  (boto3 client)
    answer = sqs.receive_message(
        QueueUrl=local.stack.outputs["DeadLetterQueueUrl"],
        MessageAttributeNames=["All"],
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,  # the other case's letter stays for the other case
    )
    return next((letter for letter in answer.get("Messages", []) if letter["Body"] == body), None)
