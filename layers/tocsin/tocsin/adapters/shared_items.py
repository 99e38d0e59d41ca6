"""The items of EphemeralTable that workers share, written by optimistic locking."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.batch_reads import read_items
from tocsin.errors import TransientError
from tocsin.model.shared_item import SharedItem, SharedItemsChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.adapters.transactions import Transactions

    Item = Mapping[str, AttributeValueTypeDef]

_ATTRIBUTES = ("pk", "version", "document")
_WRITES_A_CALL = 100  # TransactWriteItems' limit


class SharedItems:
    """Reads and writes shared items beside what a chunk's look-up and journal do."""

    def __init__(self, client: DynamoDBClient, transactions: Transactions, table: str) -> None:
        self._client = client
        self._transactions = transactions
        self._table = table

    def read(self, keys: Sequence[str]) -> list[SharedItem]:
        """What stands under each of the keys, of 100 at most, there or not.

        Raises:
            TransientError: the table did not answer for all of them.
        """
        found = read_items(self._client, self._table, [key_of(key) for key in keys], attributes=_ATTRIBUTES)
        items = {item["pk"]["S"]: item for item in found}
        return [read_shared(key, items.get(key, {})) for key in keys]

    def put(self, items: Sequence[SharedItem]) -> None:
        """Write all of the items, of 100 at most, or none.

        Raises:
            SharedItemsChanged: somebody else wrote some of them meanwhile; none is written.
            TransientError: the table is too busy.
        """
        failed = self._transactions.write([put_shared(self._table, item) for item in items])
        if failed:
            raise SharedItemsChanged([read_shared(items[position].key, item) for position, item in failed.items()])

    def write(self, items: Iterable[SharedItem]) -> list[SharedItem]:
        """Write those of the items that nobody else has changed, and return them. Never raises: none is vital."""
        written: list[SharedItem] = []
        for some in batched(items, _WRITES_A_CALL, strict=False):
            with suppress(TransientError, ClientError, BotoCoreError):
                written += self._write(some)
        return written

    def _write(self, items: Sequence[SharedItem]) -> Sequence[SharedItem]:
        while items:
            failed = self._transactions.write([put_shared(self._table, item) for item in items])
            if not failed:
                break
            items = [item for position, item in enumerate(items) if position not in failed]
        return items


def key_of(key: str) -> dict[str, AttributeValueTypeDef]:
    """The primary key of a shared item."""
    return {"pk": {"S": key}}


def put_shared(table: str, item: SharedItem) -> TransactWriteItemTypeDef:
    """Write the item, if the one before it still stands; of one that is only checked, whether it does itself."""
    if item.is_checked_only:
        return {"ConditionCheck": _condition(item.version) | {"TableName": table, "Key": key_of(item.key)}}
    written: dict[str, AttributeValueTypeDef] = {
        **key_of(item.key),
        "version": {"N": str(item.version)},
        "document": {"S": json.dumps(item.document, separators=(",", ":"))},
    }
    if item.forgotten_at is not None:
        written["ttl"] = {"N": str(int(item.forgotten_at.timestamp()))}
    return {"Put": _condition(item.version - 1) | {"TableName": table, "Item": written}}


def read_shared(key: str, item: Item) -> SharedItem:
    """What stands under the key; an empty `item` is none."""
    if not item:
        return SharedItem(key=key)
    return SharedItem(key=key, version=int(item["version"]["N"]), document=json.loads(item["document"]["S"]))


def _condition(version: int) -> Any:  # noqa: ANN401  (a part of several requests)
    """That the item with this version stands; 0: that there is none."""
    answers: dict[str, Any] = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if version == 0:
        return answers | {"ConditionExpression": "attribute_not_exists(pk)"}
    values = {":version": {"N": str(version)}}
    return answers | {"ConditionExpression": "version = :version", "ExpressionAttributeValues": values}
