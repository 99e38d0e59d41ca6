"""Turns to have relays asked, in EphemeralTable: so many a minute for each project, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.model.settings_error import VerifiedTooOften

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

_A_MINUTE = 30  # each may keep a relay, and one of our functions, busy for 20 s
_MINUTE_SECONDS = 60
_KEPT_SECONDS = 3600


class VerificationTurns:
    """The turns of all projects."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    @busy_services_are_transient()
    def take(self, project_id: str) -> None:
        """Take one of the project's turns in this minute.

        Raises:
            VerifiedTooOften: there is none left.
            TransientError: the table cannot answer now.
        """
        now = int(self._clock().timestamp())
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"verifications#{project_id}#{now // _MINUTE_SECONDS}"}},
                UpdateExpression="SET #ttl = :ttl ADD taken :one",
                ConditionExpression="attribute_not_exists(taken) OR taken < :all",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":ttl": {"N": str(now + _KEPT_SECONDS)},
                    ":one": {"N": "1"},
                    ":all": {"N": str(_A_MINUTE)},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise VerifiedTooOften("all turns of this minute are taken") from None
