"""What the tests of DeliverFunction share."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.conftest import Context
from tests.functional.deliver.stack import Acme

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.deliver.stack import Stack

_message_numbers = count(1)

type Invoke = Callable[..., list[str]]


@pytest.fixture
def stack(whole_stack: Stack) -> Stack:
    """The stack, its queues and its journal empty: moto copies whole tables at each transaction."""
    whole_stack.forget_messages()
    whole_stack.forget_deliveries()
    return whole_stack


@pytest.fixture
def acme(stack: Stack) -> Acme:
    """A project of this test's own, not saved yet."""
    del stack
    return Acme()


@pytest.fixture
def deliver(stack: Stack) -> Invoke:
    """Invoke the function with these bodies or events; the ids of the records that it gave back."""
    from functions.deliver.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

    def invoke(
        *bodies: str | dict[str, Any], queue: str = "NotificationQueue", receive_count: int = 1, seconds: float = 60.0
    ) -> list[str]:
        records = [
            {
                "messageId": f"message-{index}",
                "receiptHandle": f"handle-{next(_message_numbers)}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(receive_count)},
                "eventSourceARN": stack.arn(queue),
            }
            for index, body in enumerate(bodies)
        ]
        answer = lambda_handler({"Records": records}, Context(seconds))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    return invoke
