"""Who left a status page's list, in SuppressionsTable: one conditional write each, and nothing read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tocsin.adapters.suppressions import key_item, suppression_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tocsin.model.suppression import Suppression


class Unsubscriptions:
    """The suppressions that readers make, and take back, by their links."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, suppression: Suppression) -> None:
        """Write it; one that stands there stays as it is."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=suppression_item(suppression),
                ConditionExpression="attribute_not_exists(address)",
            )

    def remove(self, suppression: Suppression) -> None:
        """Forget what stands there for the same reason, if anything does."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.delete_item(
                TableName=self._table,
                Key=key_item(suppression.project_id, suppression.key),
                ConditionExpression="reason = :reason",
                ExpressionAttributeValues={":reason": {"S": suppression.reason.value}},
            )
