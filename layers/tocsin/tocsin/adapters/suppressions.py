"""Suppressions in SuppressionsTable; whoever adds or removes one is remembered in the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tocsin.adapters import journal_items
from tocsin.model.suppression import Reason, Suppression
from tocsin.model.suppression_scope import address_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from tocsin.adapters.audit_items import Audit
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.audit import AuditEntry

    Item = Mapping[str, AttributeValueTypeDef]


class Suppressions:
    """The suppressions of all projects."""

    def __init__(self, client: DynamoDBClient, table: str, *, transactions: Transactions, audit: Audit) -> None:
        self._client = client
        self._table = table
        self._transactions = transactions
        self._audit = audit

    def page(self, project_id: str, *, after: str | None, size: int) -> tuple[list[Suppression], str | None]:
        """At most `size` of the project's suppressions by address, behind a key; and the key where the list goes on."""
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "project_id = :project",
            "ExpressionAttributeValues": {":project": {"S": project_id}},
            "Limit": size,
            "ConsistentRead": True,
        }
        if after is not None:
            query["ExclusiveStartKey"] = key_item(project_id, after)
        answer = self._client.query(**query)
        last = answer.get("LastEvaluatedKey")
        return [_suppression(item) for item in answer["Items"]], last["address"]["S"] if last else None

    def add(self, suppression: Suppression, entry: AuditEntry) -> Suppression | None:
        """Write it; or what stands there, if the address is suppressed already: then nothing is written.

        Raises:
            TransientError: the tables are too busy.
        """
        put = {
            "TableName": self._table,
            "Item": suppression_item(suppression),
            "ConditionExpression": "attribute_not_exists(address)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        failed = self._transactions.write([{"Put": put}, self._audit.recording(entry)])  # type: ignore[typeddict-item]  # a literal of the stubs, as text
        return _suppression(failed[0]) if failed else None

    def remove(self, project_id: str, key: str, entry: AuditEntry) -> bool:
        """Let an address be mailed again; whether it was suppressed under this key.

        Raises:
            TransientError: the tables are too busy.
        """
        delete = {
            "TableName": self._table,
            "Key": key_item(project_id, key),
            "ConditionExpression": "attribute_exists(address)",
        }
        return not self._transactions.write([{"Delete": delete}, self._audit.recording(entry)])  # type: ignore[typeddict-item]  # as above


def suppression_item(suppression: Suppression) -> dict[str, AttributeValueTypeDef]:
    """The item of a suppression."""
    item = key_item(suppression.project_id, suppression.key) | {
        "reason": {"S": suppression.reason.value},
        "scope": {"S": suppression.scope},
        "since": {"S": journal_items.timestamp(suppression.since)},
    }
    return item | ({"added_by": {"S": suppression.added_by}} if suppression.added_by else {})


def _suppression(item: Item) -> Suppression:
    return Suppression(
        project_id=item["project_id"]["S"],
        address=address_of(item["address"]["S"]),
        reason=Reason(item["reason"]["S"]),
        scope=item["scope"]["S"],
        since=datetime.fromisoformat(item["since"]["S"]),
        added_by=item["added_by"]["S"] if "added_by" in item else None,
    )


def key_item(project_id: str, key: str) -> dict[str, AttributeValueTypeDef]:
    """The primary key of what is kept under `key`: an address, or an address with a scope."""
    return {"project_id": {"S": project_id}, "address": {"S": key}}
