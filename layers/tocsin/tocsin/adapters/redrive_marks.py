"""Marks in SettingsTable, durable from the write that mends an account to the end of what it lets go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.adapters.mail_account_items import DUE_SHARDS
from tocsin.model.redrive import Mark, first_pass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

    from tocsin.adapters.mail_account_items import Item

_PREFIX = "redrive#"
_NO_ACCOUNT = "none"
_SHARD = DUE_SHARDS  # of the index `due`, behind those of the grants: one query finds all marks, and no refresh does
_PAGE = 100
_KEPT = timedelta(days=1)  # a mark whose passes are over; then TTL takes it


class RedriveMarks:
    """The marks of all projects."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @busy_services_are_transient()
    def mark(self, project_id: str, mail_account_id: str | None, at: datetime) -> None:
        """Let what is parked for the account go from `at` on, which may lie far ahead. Doing so again is no error.

        Whoever parks deliveries until `at` marks first and parks then, so that a crash between the two loses nothing.
        `mail_account_id` None: what is parked without an account.

        Raises:
            TransientError: the table cannot take it now.
        """
        name = f"{mail_account_id or _NO_ACCOUNT}#{_text(at)}"  # so that it and an earlier one do not meet
        self._client.update_item(**_marking(self._table, project_id, mail_account_id, name=name, since=at))

    def due(self, now: datetime) -> Iterator[Mark]:
        """The marks that are to be looked at, those waiting longest first; each is read when it is asked for."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND refresh_at <= :now",
            ExpressionAttributeValues={":shard": {"N": str(_SHARD)}, ":now": {"S": _text(now)}},
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in pages:
            marks = (self._read(item["project_id"]["S"], item["sk"]["S"]) for item in page["Items"])
            yield from (mark for mark in marks if mark is not None and mark.pass_at <= now)

    def reach(self, mark: Mark, reached: str) -> None:
        """Keep how far the pass came, unless somebody else ended it, or marked anew."""
        self._update(mark, "SET reached = :reached", {":reached": {"S": reached}})

    def end_pass(self, mark: Mark, *, next_pass_at: datetime | None) -> None:
        """Have the mark looked at again at that time, or never; unless somebody else did so, or marked anew."""
        if next_pass_at is not None:
            pass_at: dict[str, AttributeValueTypeDef] = {":pass_at": {"S": _text(next_pass_at)}}
            self._update(mark, "SET refresh_at = :pass_at REMOVE reached", pass_at)
            return
        ttl: dict[str, AttributeValueTypeDef] = {":ttl": {"N": str(int((mark.pass_at + _KEPT).timestamp()))}}
        self._update(mark, "SET #ttl = :ttl REMOVE due_shard, refresh_at, reached", ttl, names={"#ttl": "ttl"})

    def _update(
        self,
        mark: Mark,
        expression: str,
        values: dict[str, AttributeValueTypeDef],
        names: dict[str, str] | None = None,
    ) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(mark.project_id, mark.name),
                UpdateExpression=expression,
                ConditionExpression="#token = :token AND refresh_at = :seen",
                ExpressionAttributeNames={"#token": "token"} | (names or {}),
                ExpressionAttributeValues={
                    ":token": {"S": mark.token},
                    ":seen": {"S": _text(mark.pass_at)},
                    **values,
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _read(self, project_id: str, sort_key: str) -> Mark | None:
        """The mark as it stands; None where the index was behind the table."""
        name = sort_key.removeprefix(_PREFIX)
        answer = self._client.get_item(TableName=self._table, Key=_key(project_id, name), ConsistentRead=True)
        item = answer.get("Item", {})
        return _mark(item, name) if "refresh_at" in item else None


def marking(table: str, project_id: str, mail_account_id: str | None, *, at: datetime) -> TransactWriteItemTypeDef:
    """The mark as a part of the transaction that mends the account; None: of the one that names an account."""
    name = mail_account_id or _NO_ACCOUNT
    return {"Update": _marking(table, project_id, mail_account_id, name=name, since=at)}


def _marking(table: str, project_id: str, mail_account_id: str | None, *, name: str, since: datetime) -> UpdateTypeDef:
    """The write of a mark; an older one of that name begins anew."""
    return {
        "TableName": table,
        "Key": _key(project_id, name),
        "UpdateExpression": (
            "SET due_shard = :shard, refresh_at = :pass_at, since = :since, account = :account, #token = :token"
            " REMOVE reached, #ttl"
        ),
        "ExpressionAttributeNames": {"#token": "token", "#ttl": "ttl"},
        "ExpressionAttributeValues": {
            ":shard": {"N": str(_SHARD)},
            ":pass_at": {"S": _text(first_pass(since))},
            ":since": {"S": _text(since)},
            ":account": {"S": mail_account_id or _NO_ACCOUNT},
            ":token": {"S": uuid4().hex},
        },
    }


def _mark(item: Item, name: str) -> Mark:
    account = item["account"]["S"]
    return Mark(
        project_id=item["project_id"]["S"],
        name=name,
        mail_account_id=account if account != _NO_ACCOUNT else None,
        token=item["token"]["S"],
        since=datetime.fromisoformat(item["since"]["S"]),
        pass_at=datetime.fromisoformat(item["refresh_at"]["S"]),
        reached=item["reached"]["S"] if "reached" in item else None,
    )


def _key(project_id: str, name: str) -> dict[str, AttributeValueTypeDef]:
    return {"project_id": {"S": project_id}, "sk": {"S": f"{_PREFIX}{name}"}}


def _text(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
