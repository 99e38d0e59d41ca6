"""Shared items: whoever comes second learns of the first, and harms nobody."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from tocsin.adapters.shared_items import SharedItems, put_shared, read_shared
from tocsin.adapters.transactions import Transactions
from tocsin.errors import TransientError
from tocsin.model.shared_item import SharedItem

from tests.unit.adapters.aws.tables import table_by_pk
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "UnitTestSharedItems"
_numbers = count(1)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
    """A table for shared items."""
    with table_by_pk(TABLE) as client:
        yield client


@pytest.fixture
def items(dynamodb: DynamoDBClient) -> SharedItems:
    """The items of the table."""
    return _items(dynamodb)


def _items(client: DynamoDBClient) -> SharedItems:
    return SharedItems(client, Transactions(client, pause=lambda _: None), TABLE)


def _new(text: str = "one") -> SharedItem:
    """An item that nobody wrote yet."""
    return _next(SharedItem(key=f"kind#{next(_numbers)}"), text)


def _next(item: SharedItem, text: str) -> SharedItem:
    return item.with_document({"text": text}, forgotten_at=NOW + timedelta(hours=1))


def _texts(items: SharedItems, *written: SharedItem) -> list[object]:
    return [item.document.get("text") for item in items.read([item.key for item in written])]


def test_what_is_written_is_read_as_it_is(items: SharedItems, dynamodb: DynamoDBClient) -> None:
    item = _new()

    assert items.write([item]) == [item]

    [read] = items.read([item.key])
    assert (read.key, read.version, read.document) == (item.key, 1, {"text": "one"})
    stored = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": item.key}})["Item"]
    assert stored["ttl"] == {"N": str(int((NOW + timedelta(hours=1)).timestamp()))}


def test_what_is_not_there_is_read_as_version_0_beside_what_is(items: SharedItems) -> None:
    there, missing = _new(), SharedItem(key="kind#nothing")
    items.write([there])

    read = items.read([missing.key, there.key])

    assert [(item.key, item.version) for item in read] == [(missing.key, 0), (there.key, 1)]


def test_of_two_who_saw_the_same_the_first_one_writes(items: SharedItems) -> None:
    seen = _new()
    items.write([seen])
    first, second = _next(seen, "first"), _next(seen, "second")

    assert items.write([first]) == [first]
    assert items.write([second]) == []
    assert _texts(items, seen) == ["first"]


def test_of_two_who_saw_nothing_the_first_one_writes(items: SharedItems) -> None:
    first = _new("first")
    second = _next(SharedItem(key=first.key), "second")

    assert (items.write([first]), items.write([second])) == ([first], [])
    assert _texts(items, first) == ["first"]


def test_one_lost_race_keeps_none_of_the_other_items_from_being_written(items: SharedItems) -> None:
    lost, gone, good = _new(), _next(_new(), "unseen"), _new("good")
    items.write([lost])

    assert items.write([_next(SharedItem(key=lost.key), "late"), gone, good]) == [good]
    assert _texts(items, lost, gone, good) == ["one", None, "good"]


def test_more_items_than_one_transaction_takes_are_all_written(items: SharedItems) -> None:
    many = [_new() for _ in range(101)]

    assert items.write(many) == many
    assert _texts(items, *many[:100]) == ["one"] * 100


def test_nothing_is_asked_of_the_table_for_nothing() -> None:
    assert SharedItems(cast("DynamoDBClient", None), cast("Transactions", None), TABLE).write([]) == []


class BrokenTransactions:
    """A table that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self, items: object) -> Any:  # noqa: ANN401  (it never answers)
        """Fail."""
        del items
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TransientError("busy"), id="busy"),
        pytest.param(ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems"), id="broken"),
        pytest.param(ConnectTimeoutError(endpoint_url="https://dynamodb.invalid"), id="unreachable"),
    ],
)
def test_a_table_that_takes_nothing_raises_nothing(error: Exception) -> None:
    items = SharedItems(cast("DynamoDBClient", None), cast("Transactions", BrokenTransactions(error)), TABLE)

    assert items.write([_new()]) == []


def test_a_lost_race_tells_what_stands_there(dynamodb: DynamoDBClient, items: SharedItems) -> None:
    seen = _new("theirs")
    items.write([seen])

    late = put_shared(TABLE, _next(SharedItem(key=seen.key), "late"))
    failed = Transactions(dynamodb, pause=lambda _: None).write([late])

    assert read_shared(seen.key, failed[0]) == SharedItem(key=seen.key, version=1, document={"text": "theirs"})


def test_an_item_that_is_no_longer_there_lets_the_next_one_begin_anew(
    dynamodb: DynamoDBClient, items: SharedItems
) -> None:
    seen = _new()
    items.write([seen])
    dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": seen.key}})

    assert items.write([_next(seen, "unseen")]) == []
    [gone] = items.read([seen.key])
    assert items.write([_next(gone, "anew")]) == [_next(gone, "anew")]
