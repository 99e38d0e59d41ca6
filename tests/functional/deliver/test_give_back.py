"""What a function cannot do now goes back to its queue: at once, anew, or unanswered, and always in time."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring

from tests.functional.conftest import Context, configure_with_every_port_allowed
from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Hang, Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Json, Stack

_FUNCTION_SECONDS = 5


@dataclass
class TickingContext(Context):
    """An invocation whose time passes."""

    began: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """The time left, by the real clock."""
        return int((self.seconds - (time.monotonic() - self.began)) * 1000)


@pytest.fixture
def sent(stack: Stack) -> Iterator[list[Json]]:
    """What the function sends to queues, one message at a time: those that are delayed cannot be received."""
    del stack
    seen: list[Json] = []

    def see(params: Json, **_: object) -> None:
        seen.append(dict(params))

    events = wiring.client("sqs").meta.events
    events.register("provide-client-params.sqs.SendMessage", see)
    yield seen
    events.unregister("provide-client-params.sqs.SendMessage", see)


@pytest.fixture
def short_function(stack: Stack) -> Iterator[None]:
    """A function whose time is short, so that a test can wait for its end."""
    del stack
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FUNCTION_TIMEOUT_SECONDS", str(_FUNCTION_SECONDS))
        wiring.config.cache_clear()
        configure_with_every_port_allowed()
        yield
    wiring.config.cache_clear()
    configure_with_every_port_allowed()


def _received(stack: Stack, queue: str) -> list[Any]:
    answer = boto3.client("sqs").receive_message(
        QueueUrl=stack.queues[queue], VisibilityTimeout=300, MessageSystemAttributeNames=["All"]
    )
    return list(answer.get("Messages", ()))


def _invoke(*records: Json, context: Context) -> list[str]:
    from functions.deliver.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

    answer = lambda_handler({"Records": [*records]}, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def _record(stack: Stack, queue: str, body: str, *, receives: int = 1, number: int = 0) -> Json:
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "one that no queue gave",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "MessageGroupId": "group of the sender"},
        "eventSourceARN": stack.arn(queue),
    }


@pytest.mark.parametrize("queue", ["NotificationQueue", "BulkQueue"])
def test_a_record_that_is_not_begun_is_visible_again_at_once(
    stack: Stack, acme: Acme, deliver: Invoke, queue: str
) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        body = json.dumps(acme.event("ana@example.org"))
        if queue == "BulkQueue":
            deliver(body)
            acme.overwrite("ana@example.org", state="submitting")
            body = acme.pointer()
        boto3.client("sqs").send_message(QueueUrl=stack.queues[queue], MessageBody=body)
        [message] = _received(stack, queue)
        assert _received(stack, queue) == []
        record = _record(stack, queue, body) | {"receiptHandle": message["ReceiptHandle"]}

        assert _invoke(record, context=Context(9.0)) == ["message-0"]

    [again] = _received(stack, queue)
    assert (again["MessageId"], again["Attributes"]["ApproximateReceiveCount"]) == (message["MessageId"], "2")


def test_a_message_that_has_shown_again_already_is_no_failure(
    stack: Stack, acme: Acme, caplog: pytest.LogCaptureFixture
) -> None:
    acme.save(None)
    record = _record(stack, "NotificationQueue", json.dumps(acme.event()))  # its handle is worth nothing

    assert _invoke(record, context=Context(9.0)) == ["message-0"]

    assert "record_given_back" in caplog.messages
    assert "record_failed" not in caplog.messages


@pytest.mark.parametrize("queue", ["NotificationQueue", "BulkQueue"])
@pytest.mark.parametrize("reason", ["TooLate", "ChunkOwned"])
@pytest.mark.parametrize(
    ("receives", "left"), [(2, ["message-0"]), (4, ["message-0"]), (5, []), (99, [])], ids=["2", "4", "5", "99"]
)
def test_from_the_fifth_receive_on_a_record_that_has_to_wait_is_queued_anew_and_acknowledged(
    stack: Stack, acme: Acme, sent: list[Json], queue: str, reason: str, receives: int, left: list[str]
) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        body = json.dumps(acme.event("ana@example.org"))
        _invoke(_record(stack, "NotificationQueue", body), context=Context())
        acme.overwrite("ana@example.org", state="submitting")
        if reason == "ChunkOwned":
            acme.own_chunk()
        body = acme.pointer() if queue == "BulkQueue" else body
        seconds = 9.0 if reason == "TooLate" else 60.0

        assert _invoke(_record(stack, queue, body, receives=receives), context=Context(seconds)) == left

    assert len(relay.mails) == 1
    anew = {
        "QueueUrl": stack.queues[queue],
        "MessageBody": body,
        "DelaySeconds": 60,
        "MessageGroupId": "group of the sender",
    }
    assert sent == ([] if left else [anew])


def test_a_record_that_came_without_a_group_is_queued_anew_without_one(
    stack: Stack, acme: Acme, sent: list[Json]
) -> None:
    acme.save(None)
    record = _record(stack, "NotificationQueue", json.dumps(acme.event()), receives=5)
    del record["attributes"]["MessageGroupId"]

    assert _invoke(record, context=Context(9.0)) == []

    [message] = sent
    assert "MessageGroupId" not in message


@pytest.mark.usefixtures("short_function")
def test_a_batch_whose_sessions_hang_at_the_end_and_whose_record_never_ends_answers_with_time_left(
    stack: Stack, acme: Acme
) -> None:
    other = Acme()
    threads = set(threading.enumerate())
    with Relay(**LOGIN, script={"quit": Hang()}) as rude, Relay(**LOGIN, script={"ehlo": Hang()}) as silent:
        acme.save(rude)
        other.changes = {"relay": other.relay(silent, timeout_seconds=60)}
        other.save(silent)
        bodies = (json.dumps(project.event("ana@example.org")) for project in (acme, other))
        records = [_record(stack, "NotificationQueue", body, number=number) for number, body in enumerate(bodies)]
        context = TickingContext(_FUNCTION_SECONDS)

        left = _invoke(*records, context=context)

        assert context.get_remaining_time_in_millis() > 500
    for thread in set(threading.enumerate()) - threads:
        thread.join()

    assert left == ["message-1"]
    assert acme.states() == {"ana@example.org": "accepted"}
    assert any(command.upper() == "QUIT" for command in rude.commands)
