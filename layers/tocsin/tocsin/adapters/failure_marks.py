"""Marks in SettingsTable: which projects had failed deliveries in which days, until their admins are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tocsin.adapters.mail_account_items import DUE_SHARDS
from tocsin.model.day_of_failures import FailureMark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_PREFIX = "failures#"
_SHARD = DUE_SHARDS + 1  # of the index `due`, behind those of the grants and of the marks of re-drives
_PAGE = 100
_KEPT = timedelta(days=7)  # longer than the functions may be down; then TTL takes it
_REMEMBERED = 1000


class FailureMarks:
    """The marks of all projects. What this process marked already costs no further call."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._marked: dict[tuple[str, datetime], datetime] = {}

    def mark(self, mark: FailureMark) -> None:
        """Have the project's failures of that day summed up, those of the earliest `since` among them."""
        key = (mark.project_id, mark.due_at)
        known = self._marked.get(key)
        if known is not None and known <= mark.since:
            return
        self._write(mark)
        if len(self._marked) >= _REMEMBERED:
            self._marked.clear()
        self._marked[key] = mark.since

    def due(self, now: datetime) -> Iterator[FailureMark]:
        """The marks whose day is over, the oldest first; each is read when it is its turn."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND refresh_at <= :now",
            ExpressionAttributeValues={":shard": {"N": str(_SHARD)}, ":now": {"S": _text(now)}},
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in pages:
            marks = (self._read(item["project_id"]["S"], item["sk"]["S"]) for item in page["Items"])
            yield from (mark for mark in marks if mark is not None)

    def done(self, mark: FailureMark) -> None:
        """Have the mark not looked at again."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(mark.project_id, f"{_PREFIX}{_text(mark.due_at)}"),
            UpdateExpression="REMOVE due_shard, refresh_at",
        )

    def _write(self, mark: FailureMark) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(mark.project_id, f"{_PREFIX}{_text(mark.due_at)}"),
                UpdateExpression="SET due_shard = :shard, refresh_at = :due, since = :since, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(since) OR since > :since",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":shard": {"N": str(_SHARD)},
                    ":due": {"S": _text(mark.due_at)},
                    ":since": {"S": _text(mark.since)},
                    ":ttl": {"N": str(int((mark.due_at + _KEPT).timestamp()))},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # somebody else marked it

    def _read(self, project_id: str, sort_key: str) -> FailureMark | None:
        """The mark as it stands; None where the index was behind the table."""
        answer = self._client.get_item(TableName=self._table, Key=_key(project_id, sort_key), ConsistentRead=True)
        item = answer.get("Item", {})
        if "refresh_at" not in item:
            return None
        return FailureMark(
            project_id=project_id,
            due_at=datetime.fromisoformat(item["refresh_at"]["S"]),
            since=datetime.fromisoformat(item["since"]["S"]),
        )


def _key(project_id: str, sort_key: str) -> dict[str, AttributeValueTypeDef]:
    return {"project_id": {"S": project_id}, "sk": {"S": sort_key}}


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
