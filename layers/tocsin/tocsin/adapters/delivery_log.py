"""Deliveries as admins see them, in DeliveriesTable: found by what they are about, and read with their logs."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from tocsin.adapters import journal_items as items
from tocsin.adapters.batch_reads import read_items
from tocsin.adapters.reactions import ReactionsStore
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import Fallback, State
from tocsin.model.delivery_record import DeliveryRecord, LogLine, NotificationRecord, Story, in_order
from tocsin.model.redrive import DeliveryKey
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from tocsin.adapters.delivery_indexes import DeliveryIndexes
    from tocsin.adapters.journal_items import Item
    from tocsin.model.delivery_search import Found, Position, Search

_DELIVERY = (
    "pk",
    "sk",
    "state",
    "attempt",
    "message_id",
    "type",
    "created_at",
    "updated_at",
    "retry_at",
    "revived_at",
    "mail_account_id",
    "log",
)
_NOTIFICATION = ("source", "id", "subject", "received_at", "expires_at")


class DeliveryLog:
    """Reads what the journals of all chunks say. The table is always ahead of what `indexes` find."""

    def __init__(self, client: DynamoDBClient, table: str, *, indexes: DeliveryIndexes) -> None:
        self._client = client
        self._table = table
        self._indexes = indexes
        self._reactions = ReactionsStore(client, table)

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        """At most `size` of the deliveries that are looked for, newest first, as the indexes know them."""
        return self._indexes.find(project_id, search, behind=behind, size=size)

    def records(self, keys: list[DeliveryKey]) -> list[DeliveryRecord]:
        """These deliveries, of 100 at most, as they stand now; those that are gone are left out.

        Raises:
            TransientError: the table did not answer for all of them.
        """
        wanted: list[Item] = [{"pk": {"S": key.chunk.partition}, "sk": {"S": key.recipient}} for key in keys]
        if not wanted:
            return []
        found = map(_record, read_items(self._client, self._table, wanted, attributes=_DELIVERY))
        return in_order(keys, {record.key: record for record in found})

    def story(self, project_id: str, delivery_id: str) -> Story | None:
        """The delivery with this id, and what it carries; None where the project has none of that id."""
        chunk = Chunk.of_delivery(project_id, delivery_id)
        if chunk is None:
            return None
        delivery: DeliveryRecord | None = None
        notification: Item | None = None
        for item in self._items(chunk, (*_DELIVERY, *_NOTIFICATION)):
            if item["sk"]["S"] == items.NOTIFICATION:
                notification = item
            elif chunk.delivery_id(item["sk"]["S"]) == delivery_id:
                delivery = _record(item)
        if delivery is None or notification is None:
            return None
        reactions = self._reactions.read(project_id, delivery_id)
        return Story(delivery=delivery, notification=_notification(notification), reactions=reactions)

    def keys(self, project_id: str, delivery_ids: Sequence[str]) -> list[DeliveryKey]:
        """The deliveries with these ids, each once; the project's own, whoever else has one of that id."""
        chunks = ((Chunk.of_delivery(project_id, one), one) for one in set(delivery_ids))
        known = sorted((chunk.partition, one) for chunk, one in chunks if chunk is not None)
        found: list[DeliveryKey] = []
        for partition, wanted in groupby(known, key=lambda pair: pair[0]):
            chunk, ids = Chunk.of(partition), {one for _, one in wanted}
            addresses = (item["sk"]["S"] for item in self._items(chunk, ("sk",)))
            found += [DeliveryKey(chunk=chunk, recipient=one) for one in addresses if chunk.delivery_id(one) in ids]
        return found

    def _items(self, chunk: Chunk, attributes: Sequence[str]) -> Iterator[Item]:
        """All that stands in the chunk's partition but the lease, without the event itself."""
        names = {f"#{name}": name for name in attributes}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :partition",
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":partition": {"S": chunk.partition}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from (item for item in page["Items"] if item["sk"]["S"] != items.LEASE)


def _record(item: Item) -> DeliveryRecord:
    return DeliveryRecord(
        key=DeliveryKey(chunk=Chunk.of(item["pk"]["S"]), recipient=item["sk"]["S"]),
        state=State(item["state"]["S"]),
        attempt=int(item["attempt"]["N"]),
        message_id=item["message_id"]["S"],
        type=item["type"]["S"],
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
        retry_at=_moment(item, "retry_at"),
        revived_at=_moment(item, "revived_at"),
        mail_account_id=_text(item, "mail_account_id"),
        log=tuple(_line(entry["M"]) for entry in item.get("log", {"L": []})["L"]),
    )


def _line(line: Item) -> LogLine:
    instead = line["instead_of"]["M"] if "instead_of" in line else None
    return LogLine(
        at=datetime.fromisoformat(line["at"]["S"]),
        state=State(line["state"]["S"]),
        attempt=int(line["attempt"]["N"]),
        mail_account_id=_text(line, "mail_account_id"),
        reply=_reply(line["reply"]["M"]) if "reply" in line else None,
        remedy_id=_text(line, "remedy_id"),
        instead_of=Fallback(mail_account_id=instead["mail_account_id"]["S"], reason=instead["reason"]["S"])
        if instead is not None
        else None,
        redriven_by=_text(line, "redriven_by"),
    )


def _reply(reply: Item) -> Reply:
    return Reply(
        phase=Phase(reply["phase"]["S"]),
        code=int(reply["code"]["N"]) if "code" in reply else None,
        text=reply["text"]["S"],
        enhanced=_text(reply, "enhanced"),
    )


def _notification(item: Item) -> NotificationRecord:
    return NotificationRecord(
        source=item["source"]["S"],
        id=item["id"]["S"],
        type=item["type"]["S"],
        subject=_text(item, "subject"),
        received_at=datetime.fromisoformat(item["received_at"]["S"]),
        expires_at=datetime.fromisoformat(item["expires_at"]["S"]),
    )


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _moment(item: Item, name: str) -> datetime | None:
    return datetime.fromisoformat(item[name]["S"]) if name in item else None
