"""The indexes of DeliveriesTable that lists are read from: newest first, without a scan, so much work at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.adapters import journal_items as items
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import State
from tocsin.model.delivery_search import NO_ACCOUNT, Found, Position
from tocsin.model.redrive import DeliveryKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from tocsin.adapters.journal_items import Item
    from tocsin.model.delivery_search import Search

_QUERIES = 96  # four days of hours in which nothing was sent
_LOOKED_AT = 1000  # by each query


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """One index: how a place in it is found, and whether it ends with one partition. `filters`: it holds a row."""

    name: str
    attribute: str
    partition: Callable[[Position], str]
    is_by_hour: bool = False
    filters: bool = True


class DeliveryIndexes:
    """Finds the keys of deliveries. An index follows the table within a second or so."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        """At most `size` of the deliveries that are looked for, behind a place."""
        index, since = _index_for(project_id, search), items.timestamp(search.since)
        position, found = behind or Position.before(search.until), Found(keys=[], behind=None)
        for _ in range(_QUERIES):
            if position.at < since:
                return found
            answer = self._client.query(**self._query(index, search, position, since))
            for item in answer["Items"]:
                found.keys.append(_key(item))
                if len(found.keys) == size:
                    return Found(keys=found.keys, behind=_position(item))
            if last := answer.get("LastEvaluatedKey"):
                position = _position(last)
            elif index.is_by_hour:
                position = position.hour_before
            else:
                return found
        return Found(keys=found.keys, behind=position)

    def _query(self, index: _Index, search: Search, position: Position, since: str) -> QueryInputTypeDef:
        names, values = {"#partition": index.attribute}, _texts(index.partition(position), since, position.at)
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": index.name,
            "KeyConditionExpression": "#partition = :partition AND created_at BETWEEN :since AND :at",
            "ScanIndexForward": False,
            "Limit": _LOOKED_AT,
        }
        if position.key is not None:
            query["ExclusiveStartKey"] = _start(index, position, position.key)
        if index.filters and (conditions := _conditions(search, names, values)):
            query["FilterExpression"] = " AND ".join(conditions)
        return {**query, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}


def _index_for(project_id: str, search: Search) -> _Index:
    """The index with the least to look through."""
    if search.correlation is not None:
        key = items.correlation_key(project_id, search.correlation)
        return _Index(name="by_correlation", attribute="project_correlation", partition=lambda _: key)
    if search.recipient is not None:
        key = items.recipient_key(project_id, search.recipient)
        return _Index(name="by_recipient", attribute="project_recipient", partition=lambda _: key)
    if search.mail_account_id is not None and search.states == {State.PARKED} and search.type is None:
        account = search.mail_account_id if search.mail_account_id != NO_ACCOUNT else None
        key = items.parked_account(project_id, account)
        return _Index(name="parked", attribute="parked_account", partition=lambda _: key, filters=False)
    return _Index(
        name="by_hour",
        attribute="project_hour",
        partition=lambda position: items.hour_key(project_id, position.at),
        is_by_hour=True,
    )


def _conditions(search: Search, names: dict[str, str], values: dict[str, AttributeValueTypeDef]) -> list[str]:
    """What a row must be; its names and values are entered into those of the query."""
    conditions: list[str] = []
    if search.states:
        names["#state"] = "state"
        states = {f":state{number}": state.value for number, state in enumerate(sorted(search.states))}
        values |= {name: {"S": state} for name, state in states.items()}
        conditions.append(f"#state IN ({', '.join(states)})")
    if search.type is not None:
        names["#type"] = "type"
        values |= {":type": {"S": search.type}, ":family": {"S": f"{search.type}."}}
        conditions.append("(#type = :type OR begins_with(#type, :family))")
    if search.mail_account_id == NO_ACCOUNT:
        conditions.append("attribute_not_exists(mail_account_id)")
    elif search.mail_account_id is not None:
        values[":account"] = {"S": search.mail_account_id}
        conditions.append("mail_account_id = :account")
    if search.recipient is not None:
        values[":recipient"] = {"S": search.recipient}
        conditions.append("recipient = :recipient")
    return conditions


def _texts(partition: str, since: str, at: str) -> dict[str, AttributeValueTypeDef]:
    return {":partition": {"S": partition}, ":since": {"S": since}, ":at": {"S": at}}


def _start(index: _Index, position: Position, key: DeliveryKey) -> dict[str, AttributeValueTypeDef]:
    return {
        "pk": {"S": key.chunk.partition},
        "sk": {"S": key.recipient},
        "created_at": {"S": position.at},
        index.attribute: {"S": index.partition(position)},
    }


def _position(item: Item) -> Position:
    return Position(at=item["created_at"]["S"], key=_key(item))


def _key(item: Item) -> DeliveryKey:
    return DeliveryKey(chunk=Chunk.of(item["pk"]["S"]), recipient=item["sk"]["S"])
