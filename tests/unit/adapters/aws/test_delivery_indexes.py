"""Lists of deliveries are read from the index with the least to look through, and so much at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from tocsin.adapters.delivery_indexes import DeliveryIndexes
from tocsin.model.delivery import State
from tocsin.model.delivery_search import Position, Search

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from tocsin.model.delivery_search import Found

_MONTH = timedelta(days=30)
_KEY = f"acme#{'a' * 64}#0"


@dataclass
class FakeTable:
    """A table whose indexes hold nothing, or what `answers` say first. It can be queried, and not scanned."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def query(self, **query: Any) -> dict[str, Any]:  # noqa: ANN401  (as boto3 takes it)
        self.asked.append(query)
        return self.answers.pop(0) if self.answers else {"Items": []}

    def find(self, *, behind: Position | None = None, size: int = 50, **wanted: Any) -> Found:  # noqa: ANN401  (fields of a search)
        indexes = DeliveryIndexes(cast("DynamoDBClient", self), "Deliveries")
        search = Search(**{"since": NOW - _MONTH, "until": NOW, **wanted})
        return indexes.find("acme", search, behind=behind, size=size)


def _item(number: int, *, hour: str = "2026-11-21T08") -> dict[str, Any]:
    created_at = f"{hour}:00:{59 - number:02d}.000000Z"
    return {"pk": {"S": _KEY}, "sk": {"S": f"p{number}@example.org"}, "created_at": {"S": created_at}}


@pytest.mark.parametrize(
    ("wanted", "index", "partition"),
    [
        ({"correlation": "incident/7", "recipient": "ana@example.org"}, "by_correlation", "acme#incident/7"),
        ({"recipient": "ana@example.org"}, "by_recipient", "acme#ana@example.org"),
        ({"mail_account_id": "first", "states": frozenset({State.PARKED})}, "parked", "acme#first"),
        ({"mail_account_id": "none", "states": frozenset({State.PARKED})}, "parked", "acme#none"),
        (
            {"mail_account_id": "first", "states": frozenset({State.PARKED}), "type": "incident"},  # not in `parked`
            "by_hour",
            "acme#2026-11-21T09",
        ),
        ({"mail_account_id": "first"}, "by_hour", "acme#2026-11-21T09"),
        ({"states": frozenset({State.PARKED})}, "by_hour", "acme#2026-11-21T09"),
        ({}, "by_hour", "acme#2026-11-21T09"),
    ],
)
def test_the_narrowest_index_is_asked(wanted: dict[str, Any], index: str, partition: str) -> None:
    table = FakeTable()

    table.find(**wanted)

    assert table.asked[0]["IndexName"] == index
    assert table.asked[0]["ExpressionAttributeValues"][":partition"] == {"S": partition}
    assert len(table.asked) == (1 if index != "by_hour" else 96)


def test_a_search_through_the_hours_goes_on_where_it_stopped_until_nothing_is_left() -> None:
    table = FakeTable()
    found, calls = table.find(), 1
    while found.behind is not None:
        found, calls = table.find(behind=found.behind), calls + 1

    hours = [query["ExpressionAttributeValues"][":partition"]["S"] for query in table.asked]
    assert calls == 8
    assert len(hours) == len(set(hours)) == 30 * 24 + 1
    assert hours == sorted(hours, reverse=True)


def test_a_full_page_ends_behind_its_last_delivery() -> None:
    table = FakeTable([{"Items": [_item(number) for number in range(3)]}])

    found = table.find(size=2)
    table.find(behind=found.behind, recipient="p@example.org")

    assert [key.recipient for key in found.keys] == ["p0@example.org", "p1@example.org"]
    assert table.asked[1]["ExclusiveStartKey"] == {
        "pk": {"S": _KEY},
        "sk": {"S": "p1@example.org"},
        "created_at": {"S": "2026-11-21T08:00:58.000000Z"},
        "project_recipient": {"S": "acme#p@example.org"},
    }


def test_what_a_filter_leaves_of_a_long_hour_is_read_on_from_where_the_index_stopped() -> None:
    last = _item(1) | {"project_hour": {"S": "acme#2026-11-21T08"}}
    table = FakeTable([{"Items": [], "LastEvaluatedKey": last}, {"Items": [_item(2)]}])

    found = table.find(size=1, states=frozenset({State.REFUSED}))

    assert [key.recipient for key in found.keys] == ["p2@example.org"]
    assert table.asked[1]["ExclusiveStartKey"]["sk"] == {"S": "p1@example.org"}


def test_a_place_that_is_older_than_all_that_is_kept_is_the_end() -> None:
    table = FakeTable()

    found = table.find(behind=Position.before(NOW - 2 * _MONTH))

    assert (found.keys, found.behind, table.asked) == ([], None, [])
