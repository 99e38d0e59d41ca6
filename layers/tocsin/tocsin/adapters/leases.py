"""Leases in EphemeralTable: one worker at a time, and nobody for ever."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.aws_trouble import busy_services_are_transient

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from mypy_boto3_dynamodb import DynamoDBClient


class Leases:
    """Leases by name. A lease that its holder does not give back ends on its own."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    @busy_services_are_transient()
    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        """Take the lease for `holder`; false where another holds it.

        Raises:
            TransientError: the table cannot answer now.
        """
        now = self._clock()
        ends = (now + lasting).timestamp()
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": f"lease#{name}"},
                    "holder": {"S": holder},
                    "ends_at": {"N": f"{ends:.3f}"},
                    "ttl": {"N": str(int(ends) + 3600)},
                },
                # The last part: the answer to our own write may have been lost, and the write repeated.
                ConditionExpression="attribute_not_exists(pk) OR ends_at <= :now OR holder = :holder",
                ExpressionAttributeValues={":now": {"N": f"{now.timestamp():.3f}"}, ":holder": {"S": holder}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def give_back(self, name: str, holder: str) -> None:
        """Give the lease back, if `holder` still holds it. Never raises: it ends on its own."""
        with suppress(ClientError, BotoCoreError):
            self._client.delete_item(
                TableName=self._table,
                Key={"pk": {"S": f"lease#{name}"}},
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": holder}},
            )
