"""What was opened and followed, in DeliveriesTable: an item beside each delivery that has any.

It has a partition of its own, for two reasons: whoever delivers the chunk need not read it, and an open never gets in
the way of a transaction that journals an answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.batch_reads import read_items
from tocsin.adapters.journal_items import timestamp
from tocsin.errors import TransientError
from tocsin.model.reaction import KEPT_TIMES, Reaction, Reactions, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

_SORT_KEY = "#reactions"
_WITH_TIME = "list_append(if_not_exists(#times, :none), :at)"
_FULL = "ConditionalCheckFailedException"


class ReactionsStore:
    """Counts in one write, without reading."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(
        self, project_id: str, delivery_id: str, reaction: Reaction, *, at: datetime, until: datetime, is_machine: bool
    ) -> None:
        """Count what was done at `at`, to be forgotten after `until`. Of machines no time is kept.

        Raises:
            TransientError: it is uncounted, or that is not known.
        """
        try:
            if is_machine or not self._add_time(project_id, delivery_id, reaction, at, until):
                self._count(project_id, delivery_id, reaction, until, is_machine=is_machine)
        except (ClientError, BotoCoreError) as error:
            raise TransientError(f"not counted: {type(error).__name__}") from error

    def read(self, project_id: str, delivery_id: str) -> Reactions:
        """All that was seen of a delivery.

        Raises:
            TransientError: the table did not answer.
        """
        names = [name for reaction in Reaction for name in _names(reaction)]
        found = list(read_items(self._client, self._table, [_key(project_id, delivery_id)], attributes=names))
        item = found[0] if found else {}
        return Reactions(opens=_seen(item, Reaction.OPEN), clicks=_seen(item, Reaction.CLICK))

    def _add_time(self, project_id: str, delivery_id: str, reaction: Reaction, at: datetime, until: datetime) -> bool:
        """Count one and keep its time; False, and nothing written, where enough are kept."""
        count, _, times = _names(reaction)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(project_id, delivery_id),
                UpdateExpression=f"SET #times = {_WITH_TIME}, #ttl = :ttl ADD #count :one",
                ConditionExpression="attribute_not_exists(#times) OR size(#times) < :most",
                ExpressionAttributeNames={"#count": count, "#times": times, "#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":at": {"L": [{"S": timestamp(at)}]},
                    ":most": {"N": str(KEPT_TIMES)},
                    ":none": {"L": []},
                    ":one": {"N": "1"},
                    ":ttl": _seconds(until),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != _FULL:
                raise
            return False
        return True

    def _count(
        self, project_id: str, delivery_id: str, reaction: Reaction, until: datetime, *, is_machine: bool
    ) -> None:
        count, machine_count, _ = _names(reaction)
        self._client.update_item(
            TableName=self._table,
            Key=_key(project_id, delivery_id),
            UpdateExpression="SET #ttl = :ttl ADD #count :one",
            ExpressionAttributeNames={"#count": machine_count if is_machine else count, "#ttl": "ttl"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":ttl": _seconds(until)},
        )


def _key(project_id: str, delivery_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"{project_id}#{delivery_id}"}, "sk": {"S": _SORT_KEY}}


def _names(reaction: Reaction) -> tuple[str, str, str]:
    return f"{reaction.value}s", f"machine_{reaction.value}s", f"{reaction.value}_times"


def _seen(item: Item, reaction: Reaction) -> Seen:
    count, machine_count, times = _names(reaction)
    return Seen(
        count=_number(item, count),
        machine_count=_number(item, machine_count),
        times=tuple(datetime.fromisoformat(at["S"]) for at in item.get(times, {"L": []})["L"]),
    )


def _number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _seconds(moment: datetime) -> AttributeValueTypeDef:
    return {"N": str(int(moment.timestamp()))}
