"""What we put on queues: pointers to stored chunks, and dead letters."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.errors import TransientError
from tocsin.model.chunk import pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from tocsin.adapters.payload_store import PayloadStore
    from tocsin.errors import InvalidNotification
    from tocsin.model.chunk import Chunk

_ENTRIES_A_CALL = 10  # SendMessageBatch's limit
_HOP_SECONDS = 900  # DelaySeconds' limit
_MESSAGE_BYTES = 1_048_576  # SQS counts the attributes in
_REJECTED = "_rejected"  # the prefix of dead letters that name no project


class BulkQueue:
    """The queue of stored chunks; fair between projects by MessageGroupId."""

    def __init__(self, client: Callable[[], SQSClient], url: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._url = url
        self._clock = clock

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        """Have the chunks delivered, not before `at`; what lies further than 15 minutes ahead comes back in hops.

        Raises:
            TransientError: not all were taken; sending them again does no harm.
        """
        wait = max(0, math.ceil((at - self._clock()).total_seconds())) if at is not None else 0
        for part in batched(chunks, _ENTRIES_A_CALL, strict=False):
            self._send(part, min(wait, _HOP_SECONDS))

    def _send(self, chunks: Sequence[Chunk], delay_seconds: int) -> None:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(number),
                "MessageBody": pointer(chunk),
                "MessageGroupId": chunk.project_id,
                "DelaySeconds": delay_seconds,
            }
            for number, chunk in enumerate(chunks)
        ]
        if failed := self._client().send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed"):
            raise TransientError(f"the BulkQueue refused {len(failed)} of {len(entries)} messages")


class NotificationQueue:
    """The queue of notifications, for those that we publish ourselves; fair between projects by MessageGroupId."""

    def __init__(self, client: Callable[[], SQSClient], url: str) -> None:
        self._client = client
        self._url = url

    def publish(self, event: Mapping[str, Any]) -> None:
        """Have the event delivered."""
        project_id = event["data"]["project"]["id"]
        self._client().send_message(QueueUrl=self._url, MessageBody=body_of(event), MessageGroupId=project_id)


class DeadLetterQueue:
    """The queue of what can never be delivered, each with its reason."""

    def __init__(self, client: Callable[[], SQSClient], url: str, payloads: PayloadStore) -> None:
        self._client = client
        self._url = url
        self._payloads = payloads

    def put(self, body: str, rejection: InvalidNotification, *, project_id: str | None) -> None:
        """Store the body as it came; in PayloadBucket and by reference where the queue cannot take it."""
        reason = f"{rejection.reason}: {rejection.detail}"[:256]
        if not _fits(body, reason):
            body = self._by_reference(body, project_id)
        self._client().send_message(
            QueueUrl=self._url,
            MessageBody=body,
            MessageAttributes={"RejectReason": {"DataType": "String", "StringValue": reason}},
        )

    def _by_reference(self, body: str, project_id: str | None) -> str:
        content = body.encode(errors="surrogatepass")
        name = f"dead-letters/{datetime.now(UTC):%Y-%m-%d}/{sha256(content).hexdigest()}"
        return json.dumps({"body_ref": self._payloads.put(project_id or _REJECTED, name, content).model_dump()})


def body_of(event: Mapping[str, Any]) -> str:
    """The event as JSON, with a sign for what is no Unicode: what others answered may be told in it."""
    whole = json.dumps(event, ensure_ascii=False).encode(errors="replace")
    return json.dumps(json.loads(whole))


def _fits(body: str, reason: str) -> bool:
    octets = len(body.encode(errors="surrogatepass"))
    return octets + len("RejectReason") + len("String") + len(reason) <= _MESSAGE_BYTES


def give_back_now(client: SQSClient, url: str, receipt_handle: str) -> None:
    """Make a received message visible again at once. Never raises: it shows on its own, in a while."""
    with suppress(ClientError, BotoCoreError):  # it may have shown already: then the handle is worth nothing
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)


def send_again(client: SQSClient, url: str, body: str, *, group: str | None, after_seconds: int) -> None:
    """Put a message on a queue anew, to be seen after a while."""
    fair = {"MessageGroupId": group} if group is not None else {}
    client.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=after_seconds, **fair)  # type: ignore[arg-type]  # one keyword, or none
