"""Deliveries that wait for somebody's decision, in DeliveriesTable: found by account, read by key, and let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters import journal_items as items
from tocsin.adapters.batch_reads import read_items
from tocsin.model.chunk import Chunk
from tocsin.model.notifications.catalogue import is_for_admins
from tocsin.model.redrive import KEPT_FOR, MOST_LOG_LINES, DeliveryKey, state_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.adapters.journal_items import Item
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.delivery import Entry

_PAGE = 100  # what BatchGetItem reads at once, and TransactWriteItems writes
_TYPE = ("pk", "sk", "type")
_ENTRY = ("pk", "sk", "state", "attempt", "message_id", "retry_at", "resubmitted", "revived_at")


class WaitingDeliveries:
    """Lets deliveries go by conditional writes; no lease is needed, since nobody works on one that waits."""

    def __init__(
        self, client: DynamoDBClient, table: str, *, transactions: Transactions, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._table = table
        self._transactions = transactions
        self._clock = clock

    def parked(
        self, project_id: str, mail_account_id: str | None, *, reached: str | None, only_to_admins: bool = False
    ) -> Iterator[tuple[Sequence[DeliveryKey], str]]:
        """What is parked for the account, oldest first, in parts of at most 100; with how far each part reaches.

        The index follows the table within a second or so, so some may have gone, and the newest may be missing.
        `only_to_admins` leaves out all but words to admins: a part may then be empty.

        Raises:
            TransientError: the table did not say of all what they are.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="parked",
            KeyConditionExpression="parked_account = :account AND created_at >= :reached",
            ExpressionAttributeValues={
                ":account": {"S": items.parked_account(project_id, mail_account_id)},
                ":reached": {"S": reached or " "},  # which sorts before every time
            },
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in pages:
            if found := page["Items"]:
                keys = [_key(item) for item in found]
                yield self._to_admins(keys) if only_to_admins else keys, found[-1]["created_at"]["S"]

    def _to_admins(self, keys: Sequence[DeliveryKey]) -> Sequence[DeliveryKey]:
        found = read_items(self._client, self._table, [_primary_key(key) for key in keys], attributes=_TYPE)
        to_admins = {_key(item) for item in found if is_for_admins(item["type"]["S"])}
        return [key for key in keys if key in to_admins]

    def entries(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Entry]:
        """What stands there now, of at most 100; those that are not stored are left out.

        Raises:
            TransientError: the table did not answer for all of them.
        """
        found = read_items(self._client, self._table, [_primary_key(key) for key in keys], attributes=_ENTRY)
        return {_key(item): items.read_entry(item) for item in found}

    def release(
        self,
        entries: Mapping[DeliveryKey, Entry],
        *,
        at: datetime,
        by: str,
        revive: bool,
        unchanged_since: datetime | None,
    ) -> Sequence[DeliveryKey]:
        """Let these go, due from `at` on; those that did, in the order given. `revive` gives each a new life.

        One that is in another state by now stays as it is, and so does one that changed after `unchanged_since`, or
        that the journal will not hold for as long as a new life lasts.

        Raises:
            TransientError: the table is too busy.
        """
        now, keys = self._clock(), list(entries)
        while keys:
            writes = [self._release(key, entries[key], at=at, by=by, now=now) for key in keys]
            if revive:
                writes = [_revived(write, at) for write in writes]
            if unchanged_since is not None:
                writes = [_if_unchanged(write, unchanged_since) for write in writes]
            failed = self._transactions.write(writes)
            if not failed:
                break
            keys = [key for position, key in enumerate(keys) if position not in failed]
        return keys

    def _release(
        self, key: DeliveryKey, entry: Entry, *, at: datetime, by: str, now: datetime
    ) -> TransactWriteItemTypeDef:
        state = state_after(entry.state).value
        line: dict[str, AttributeValueTypeDef] = {
            "at": {"S": items.timestamp(now)},
            "state": {"S": state},
            "attempt": {"N": str(entry.attempt)},
            "redriven_by": {"S": by},
        }
        due = items.due(key.recipient, at)
        return {
            "Update": {
                "TableName": self._table,
                "Key": _primary_key(key),
                "UpdateExpression": (
                    "SET #state = :state, updated_at = :now, retry_at = :retry_at, due_shard = :due_shard,"
                    " #log = list_append(if_not_exists(#log, :none), :line) REMOVE parked_account"
                ),
                "ConditionExpression": "#state = :before",
                "ExpressionAttributeNames": {"#state": "state", "#log": "log"},
                "ExpressionAttributeValues": {
                    ":state": {"S": state},
                    ":before": {"S": entry.state.value},
                    ":now": {"S": items.timestamp(now)},
                    ":retry_at": due["retry_at"],
                    ":due_shard": due["due_shard"],
                    ":none": {"L": []},
                    ":line": {"L": [{"M": line}]},
                },
            }
        }


def _if_unchanged(write: TransactWriteItemTypeDef, since: datetime) -> TransactWriteItemTypeDef:
    return _only_if(write, "updated_at <= :since", {":since": {"S": items.timestamp(since)}})


def _revived(write: TransactWriteItemTypeDef, at: datetime) -> TransactWriteItemTypeDef:
    """The write that begins a new life, if there is room for it: time in the journal, and lines in the log."""
    values: dict[str, AttributeValueTypeDef] = {
        ":kept_until": {"N": str(int((at + KEPT_FOR).timestamp()))},
        ":most_lines": {"N": str(MOST_LOG_LINES)},
    }
    update = _only_if(write, "#ttl > :kept_until AND size(#log) < :most_lines", values)["Update"]
    expression = update["UpdateExpression"].replace("SET ", "SET revived_at = :retry_at, ", 1)
    names = {**update.get("ExpressionAttributeNames", {}), "#ttl": "ttl"}
    return {"Update": {**update, "UpdateExpression": expression, "ExpressionAttributeNames": names}}


def _only_if(
    write: TransactWriteItemTypeDef, condition: str, values: Mapping[str, AttributeValueTypeDef]
) -> TransactWriteItemTypeDef:
    update = write["Update"]
    conditions = f"{update.get('ConditionExpression')} AND {condition}"
    all_values = {**update.get("ExpressionAttributeValues", {}), **values}
    return {"Update": {**update, "ConditionExpression": conditions, "ExpressionAttributeValues": all_values}}


def _key(item: Item) -> DeliveryKey:
    return DeliveryKey(chunk=Chunk.of(item["pk"]["S"]), recipient=item["sk"]["S"])


def _primary_key(key: DeliveryKey) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": key.chunk.partition}, "sk": {"S": key.recipient}}
