"""Mails that wait for a digest, in DeliveriesTable: found by the digest's group, and ended by conditional writes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from tocsin.adapters import journal_items as items
from tocsin.adapters.shared_items import put_shared, read_shared
from tocsin.model.chunk import Chunk
from tocsin.model.digest import HeldMail
from tocsin.model.redrive import DeliveryKey
from tocsin.model.shared_item import SharedItemsChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from tocsin.adapters.journal import Tables
    from tocsin.adapters.journal_items import Item
    from tocsin.adapters.shared_items import SharedItems
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.shared_item import SharedItem
    from tocsin.model.storm import StormGroup


class HeldMails:
    """Finds and ends what is held, whichever chunk it belongs to; no lease is needed, since nobody works on it."""

    def __init__(
        self,
        client: DynamoDBClient,
        tables: Tables,
        *,
        transactions: Transactions,
        shared: SharedItems,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._tables = tables
        self._transactions = transactions
        self._shared = shared
        self._clock = clock

    def item(self, key: str) -> SharedItem:
        """What stands under the key of EphemeralTable, there or not.

        Raises:
            TransientError: the table did not answer.
        """
        [item] = self._shared.read([key])
        return item

    def put(self, item: SharedItem) -> None:
        """Write it.

        Raises:
            SharedItemsChanged: the one before it does not stand any more.
            TransientError: the table is too busy.
        """
        self._shared.put([item])

    def held(self, group: StormGroup, *, until: datetime) -> Iterator[HeldMail]:
        """What is held for the group since `until` or longer, oldest first.

        The index follows the table within a second or so: what was held just now may be missing.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._tables.deliveries,
            IndexName="held",
            KeyConditionExpression="held_for = :group AND held_at <= :until",
            ExpressionAttributeValues={":group": {"S": group.name}, ":until": {"S": items.timestamp(until)}},
        )
        for page in pages:
            yield from map(_mail, page["Items"])

    def end(self, mails: Sequence[HeldMail], digest_id: str, *, while_stands: SharedItem) -> Sequence[HeldMail]:
        """End those of at most 99 that are still held, as long as the item stands; those.

        Raises:
            SharedItemsChanged: the item does not stand; nothing was written.
            TransientError: the table is too busy.
        """
        check = put_shared(self._tables.ephemeral, while_stands.checked())
        while mails:
            failed = self._transactions.write([check, *(self._end(mail, digest_id) for mail in mails)])
            if 0 in failed:
                raise SharedItemsChanged([read_shared(while_stands.key, failed[0])])
            if not failed:
                break
            mails = [mail for position, mail in enumerate(mails, start=1) if position not in failed]
        return mails

    def _end(self, mail: HeldMail, digest_id: str) -> TransactWriteItemTypeDef:
        """Write the end of it as its chunk's journal would."""
        now = self._clock()
        owner = items.Ownership(
            table=self._tables.deliveries,
            chunk=mail.key.chunk,
            fence=items.fence_at(now),
            ends_at=now,
            ttl=0,  # it was written when the delivery was, as was what follows
            type=mail.type,
            correlation="",
        )
        return items.change_delivery(owner, mail.digested(digest_id), now=now)


def _mail(item: Item) -> HeldMail:
    return HeldMail(
        key=DeliveryKey(chunk=Chunk.of(item["pk"]["S"]), recipient=item["sk"]["S"]),
        entry=items.read_entry(item),
        held_at=datetime.fromisoformat(item["held_at"]["S"]),
        line=json.loads(item["held"]["S"]),
    )
