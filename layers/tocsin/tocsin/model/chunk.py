"""Chunks of a notification's recipients, and every identifier that follows from a notification's key."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Self

from tocsin.errors import InvalidNotification
from tocsin.model.address import canonical_recipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tocsin.model.notification import Notification, Recipient

SPLIT_AT = 100
"""An event with more recipients than this is cut into chunks of this size (DESIGN section 1)."""

_DELIVERY_ID = re.compile(r"(?P<key>[0-9a-f]{64})-(?P<number>[0-9]{1,6})-[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Up to `SPLIT_AT` recipients of one notification; the unit that is owned, journaled and retried.

    `notification_key` is the hex SHA-256 of source, LF, id: unique within the project.
    """

    project_id: str
    notification_key: str
    number: int = 0

    @property
    def partition(self) -> str:
        """The partition key of everything that is written about this chunk."""
        return f"{self.project_id}#{self.notification_key}#{self.number}"

    @classmethod
    def of(cls, partition: str) -> Self:
        """The chunk with this partition key."""
        project_id, key, number = partition.split("#")
        return cls(project_id=project_id, notification_key=key, number=int(number))

    @classmethod
    def of_delivery(cls, project_id: str, delivery_id: str) -> Self | None:
        """The chunk of the delivery with this public id, if the project has it; None: it is no such id."""
        match = _DELIVERY_ID.fullmatch(delivery_id)
        if match is None:
            return None
        return cls(project_id=project_id, notification_key=match["key"], number=int(match["number"]))

    def delivery_id(self, recipient: str) -> str:
        """The public id of the delivery to canonical `recipient`; it leads back to this chunk and holds no address."""
        return f"{self.notification_key}-{self.number}-{_hex(recipient)[:16]}"


def chunk_of(notification: Notification, number: int = 0) -> Chunk:
    """The chunk with this number of `notification`."""
    key = _hex(f"{notification.source}\n{notification.id}")
    return Chunk(project_id=notification.project_id, notification_key=key, number=number)


def message_id(notification: Notification, recipient: str, domain: str) -> str:
    """The Message-ID of the mail to canonical `recipient`, with its angle brackets: the same at every attempt."""
    identity = f"{notification.project_id}\n{notification.source}\n{notification.id}\n{recipient}"
    return f"<{_hex(identity)[:40]}@{domain}>"


def thread_root(notification: Notification, domain: str) -> str:
    """The synthetic message id that all mails of one thread refer to; no mail has it."""
    return f"<thread.{_hex(f'{notification.project_id}\n{notification.correlation}')[:40]}@{domain}>"


def pointer(chunk: Chunk) -> str:
    """The body of the BulkQueue's message for a stored chunk: it names the chunk and carries nothing of it."""
    return json.dumps(
        {"project_id": chunk.project_id, "notification_key": chunk.notification_key, "number": chunk.number}
    )


def read_pointer(body: str) -> Chunk:
    """The chunk that a BulkQueue message names.

    Raises:
        InvalidNotification: the body is no such message.
    """
    try:
        parts = json.loads(body)
        project_id, key, number = parts["project_id"], parts["notification_key"], parts["number"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InvalidNotification("not_a_chunk", "the body names no chunk") from None
    if not (isinstance(project_id, str) and isinstance(key, str) and isinstance(number, int)):
        raise InvalidNotification("not_a_chunk", "the body names no chunk")
    return Chunk(project_id=project_id, notification_key=key, number=number)


def distinct(recipients: Iterable[Recipient]) -> dict[str, Recipient]:
    """Recipients by their canonical address; the first of duplicates wins."""
    by_address: dict[str, Recipient] = {}
    for recipient in recipients:
        by_address.setdefault(canonical_recipient(recipient.email), recipient)
    return by_address


def cut(recipients: Iterable[Recipient]) -> Iterator[tuple[Recipient, ...]]:
    """The recipients of each chunk, in order."""
    return batched(recipients, SPLIT_AT, strict=False)


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
