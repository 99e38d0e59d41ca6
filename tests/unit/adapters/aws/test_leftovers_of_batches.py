"""What a batch call leaves undone is asked for again, and in the end is worth another try."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from tocsin.adapters.journal import Journals, Tables
from tocsin.adapters.look_up import LookUp
from tocsin.adapters.transactions import Transactions
from tocsin.errors import TransientError
from tocsin.model.chunk import chunk_of

from tests.unit.model.examples import NOW, event, notification

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from tocsin.adapters.payload_store import PayloadStore

type Json = dict[str, Any]


class FakeTable:
    """A table that leaves the last of each batch undone, for the first `times`."""

    def __init__(self, *, times: int, holds: frozenset[str] = frozenset()) -> None:
        self._times = times
        self._holds = holds
        self.calls: list[int] = []
        self.done: list[Json] = []

    def transact_write_items(self, **_: object) -> Json:
        """Take a transaction."""
        return {}

    def batch_write_item(self, *, RequestItems: dict[str, list[Json]]) -> Json:  # noqa: N803  (the service's name)
        """Write all, or all but the last."""
        return {"UnprocessedItems": self._left(RequestItems, RequestItems["T"])}

    def batch_get_item(self, *, RequestItems: dict[str, Json]) -> Json:  # noqa: N803  (the service's name)
        """Read all, or all but the last."""
        [request] = RequestItems.values()
        before = len(self.done)
        left = self._left(RequestItems, request["Keys"])
        if left:
            left = {"T": {**request, "Keys": left["T"]}}
        found = [{"address": key["address"]} for key in self.done[before:] if key["address"]["S"] in self._holds]
        return {"Responses": {"T": found} if found else {}, "UnprocessedKeys": left}

    def _left(self, request: Json, entries: list[Json]) -> Json:
        assert set(request) == {"T"}
        self.calls.append(len(entries))
        undone = entries[-1:] if len(self.calls) <= self._times else []
        self.done += entries[: len(entries) - len(undone)]
        return {"T": undone} if undone else {}


def _store_chunks(table: FakeTable, chunks: int) -> list[float]:
    """Store a notification of so many chunks; the pauses that were made."""
    client, pauses = cast("DynamoDBClient", table), list[float]()
    journals = Journals(
        client,
        Tables(deliveries="T", ephemeral="E"),
        transactions=Transactions(client, pause=pauses.append),
        payloads=cast("PayloadStore", None),  # small events need none
        lease=timedelta(seconds=65),
        retention=timedelta(days=30),
        clock=lambda: NOW,
    )
    stored = {chunk_of(notification(), number): event() for number in range(chunks)}
    journals.store(stored, notification(), received_at=NOW)
    return pauses


def _suppressed(table: FakeTable, *recipients: str) -> set[str]:
    client = cast("DynamoDBClient", table)
    look_up = LookUp(client, suppressions_table="T", ephemeral_table="E", settings_table="S")
    return {*look_up("acme", recipients, ())[0]}


def _partitions(table: FakeTable) -> list[str]:
    return [write["PutRequest"]["Item"]["pk"]["S"] for write in table.done]


@pytest.mark.parametrize(
    ("times", "calls"),
    [(0, [25, 4]), (1, [25, 1, 4]), (7, [25, 1, 1, 1, 1, 1, 1, 1, 4])],
)
def test_chunks_that_the_table_did_not_take_are_written_again_after_a_pause(times: int, calls: list[int]) -> None:
    table = FakeTable(times=times)

    pauses = _store_chunks(table, 30)

    assert table.calls == calls
    assert len(pauses) == times
    assert sorted(_partitions(table)) == sorted(chunk_of(notification(), number).partition for number in range(1, 30))


def test_chunks_that_the_table_never_takes_are_worth_another_try() -> None:
    table = FakeTable(times=1000)

    with pytest.raises(TransientError):
        _store_chunks(table, 30)

    assert len(table.calls) == 8


@pytest.mark.parametrize("times", [0, 1, 4])
def test_addresses_that_were_not_looked_up_are_looked_up_again(times: int) -> None:
    table = FakeTable(times=times, holds=frozenset({"bo@example.org", "cy@example.org"}))

    found = _suppressed(table, "ana@example.org", "bo@example.org", "cy@example.org")

    assert found == {"bo@example.org", "cy@example.org"}
    assert table.calls == [3, *[1] * times]


def test_addresses_that_are_never_looked_up_are_worth_another_try() -> None:
    table = FakeTable(times=1000, holds=frozenset({"bo@example.org"}))

    with pytest.raises(TransientError):
        _suppressed(table, "bo@example.org", "cy@example.org")

    assert len(table.calls) == 5
