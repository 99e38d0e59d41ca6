"""Chunks that nobody came back to, in DeliveriesTable: what is long due, or was owned by a worker that died."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tocsin.adapters import journal_items as items
from tocsin.adapters.batch_reads import read_items
from tocsin.model.chunk import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tocsin.adapters.journal_items import Item

_FIRST_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(days=1)
_LEASE = ("pk", "ends_at", "swept_until", "sweeps")


class OverdueChunks:
    """Finds chunks in the index `due`, and notes on a chunk's lease item who swept it: the item is always there."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def overdue(self, before: datetime) -> Iterator[Chunk]:
        """The chunks of which something has been due since `before`; a chunk may be there more than once."""
        for shard in range(items.DUE_SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND retry_at <= :before",
                ExpressionAttributeValues={
                    ":shard": {"N": str(shard)},
                    ":before": {"S": items.timestamp(before)},
                },
            )
            for page in pages:
                for item in page["Items"]:
                    yield Chunk.of(item["pk"]["S"])

    def claim(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        """Those of at most 100 that nobody works on, and nobody claimed lately: they are claimed now.

        The first claim holds for 15 minutes and each further one for twice as long as the last, at most a day: where
        messages wait in a long queue, or kill whoever takes them, there are only ever a few of them.

        Raises:
            TransientError: the table did not answer for all of them.
        """
        now = self._clock()
        leases = self._leases(chunks)
        return [chunk for chunk in chunks if chunk in leases and self._claim(chunk, leases[chunk], now)]

    def _claim(self, chunk: Chunk, lease: Item, now: datetime) -> bool:
        if _number(lease, "ends_at") > _millis(now) or _number(lease, "swept_until") > _millis(now):
            return False
        sweeps = _number(lease, "sweeps")
        pause = min(_FIRST_PAUSE * 2 ** min(sweeps, 10), _LONGEST_PAUSE)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_lease_key(chunk),
                UpdateExpression="SET swept_until = :until, sweeps = :sweeps",
                ConditionExpression="attribute_exists(pk) AND (attribute_not_exists(sweeps) OR sweeps < :sweeps)",
                ExpressionAttributeValues={
                    ":until": {"N": str(_millis(now + pause))},
                    ":sweeps": {"N": str(sweeps + 1)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _leases(self, chunks: Sequence[Chunk]) -> dict[Chunk, Item]:
        keys = [_lease_key(chunk) for chunk in chunks]
        found = read_items(self._client, self._table, keys, attributes=_LEASE)
        return {Chunk.of(item["pk"]["S"]): item for item in found}


def _lease_key(chunk: Chunk) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": chunk.partition}, "sk": {"S": items.LEASE}}


def _number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
