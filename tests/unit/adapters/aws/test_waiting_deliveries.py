"""Deliveries that wait: found oldest first over many pages, and let go once, whoever else is at it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from moto import mock_aws
from tocsin.adapters import journal_items as items
from tocsin.adapters.batch_reads import read_items
from tocsin.adapters.overdue_chunks import OverdueChunks
from tocsin.adapters.transactions import Transactions
from tocsin.adapters.waiting_deliveries import WaitingDeliveries
from tocsin.errors import TransientError
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import State
from tocsin.model.redrive import KEPT_FOR, MOST_LOG_LINES, REDRIVABLE, DeliveryKey

from tests.contract.template import RESOURCES
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from tocsin.model.delivery import Entry

TABLE = "UnitTestDeliveries"
LATER = NOW + timedelta(seconds=5)


@pytest.fixture
def aws() -> Iterator[DynamoDBClient]:
    """A table for deliveries, as the template makes it."""
    properties = RESOURCES["DeliveriesTable"]["Properties"]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=properties["AttributeDefinitions"],
            KeySchema=properties["KeySchema"],
            GlobalSecondaryIndexes=properties["GlobalSecondaryIndexes"],
        )
        yield client
        client.delete_table(TableName=TABLE)


def _deliveries(client: object) -> WaitingDeliveries:
    dynamodb = cast("DynamoDBClient", client)
    transactions = Transactions(dynamodb, pause=lambda _: None)
    return WaitingDeliveries(dynamodb, TABLE, transactions=transactions, clock=lambda: NOW)


def _key(number: int) -> DeliveryKey:
    """A delivery; the numbers in reverse are the order of their chunks' keys."""
    chunk = Chunk(project_id="acme", notification_key=f"{999 - number:064d}", number=0)
    return DeliveryKey(chunk=chunk, recipient=f"p{number % 7}@example.org")


def _put(
    client: DynamoDBClient,
    key: DeliveryKey,
    state: State,
    *,
    age: timedelta = timedelta(minutes=5),
    kept_for: timedelta = timedelta(days=30),
    lines: int = 1,
) -> None:
    parked = {"parked_account": {"S": "acme#first"}} if state is State.PARKED else {}
    client.put_item(
        TableName=TABLE,
        Item={
            "pk": {"S": key.chunk.partition},
            "sk": {"S": key.recipient},
            "state": {"S": state.value},
            "attempt": {"N": "3"},
            "message_id": {"S": "<1@acme.example>"},
            "created_at": {"S": items.timestamp(NOW - age)},
            "updated_at": {"S": items.timestamp(NOW - age)},
            "log": {"L": [{"M": {"state": {"S": state.value}}}] * lines},
            "ttl": {"N": str(int((NOW + kept_for).timestamp()))},
            **parked,
        },
    )


def _item(client: DynamoDBClient, key: DeliveryKey) -> dict[str, Any]:
    answer = client.get_item(TableName=TABLE, Key={"pk": {"S": key.chunk.partition}, "sk": {"S": key.recipient}})
    return dict(answer["Item"])


def _found(client: DynamoDBClient, *, reached: str | None = None) -> list[tuple[list[DeliveryKey], str]]:
    return [(list(part), where) for part, where in _deliveries(client).parked("acme", "first", reached=reached)]


def test_what_is_parked_is_found_oldest_first_in_parts_that_can_be_resumed(aws: DynamoDBClient) -> None:
    keys = [_key(number) for number in range(130)]
    for number, key in enumerate(keys):
        _put(aws, key, State.PARKED, age=timedelta(seconds=200 - number // 3))  # some are of one moment

    found = _found(aws)

    assert [len(part) for part, _ in found] == [100, 30]
    times = [_item(aws, key)["created_at"]["S"] for part, _ in found for key in part]
    assert times == sorted(times)
    assert {key for part, _ in found for key in part} == set(keys)
    [(rest, _)] = _found(aws, reached=found[0][1])
    assert {*rest} >= {*found[1][0]}


def test_a_part_that_goes_while_the_next_is_looked_for_makes_none_be_missed(aws: DynamoDBClient) -> None:
    keys = [_key(number) for number in range(130)]
    for number, key in enumerate(keys):
        _put(aws, key, State.PARKED, age=timedelta(seconds=200 - number))
    deliveries = _deliveries(aws)

    released = [
        key
        for part, _ in deliveries.parked("acme", "first", reached=None)
        for key in deliveries.release(deliveries.entries(part), at=LATER, by="sweep", revive=False, unchanged_since=NOW)
    ]

    assert sorted(released, key=lambda key: key.chunk.partition) == keys[::-1]
    assert _found(aws) == []


@pytest.mark.parametrize("state", sorted(REDRIVABLE))
def test_a_delivery_that_goes_is_due_keeps_what_it_was_and_says_who_wanted_it(
    aws: DynamoDBClient, state: State
) -> None:
    key = _key(1)
    _put(aws, key, state)
    deliveries = _deliveries(aws)

    [released] = deliveries.release(
        deliveries.entries([key]), at=LATER, by="admin-1", revive=False, unchanged_since=None
    )

    item, entry = _item(aws, key), deliveries.entries([key])[key]
    assert released == key
    assert (entry.state, entry.retry_at) == (State.UNKNOWN if state is State.UNKNOWN else State.QUEUED, LATER)
    assert (entry.attempt, entry.message_id) == (3, "<1@acme.example>")
    assert "parked_account" not in item
    assert [line["M"].get("redriven_by") for line in item["log"]["L"]] == [None, {"S": "admin-1"}]


@pytest.mark.parametrize("state", sorted(REDRIVABLE))
def test_what_an_admin_lets_go_lives_anew_from_then_on(aws: DynamoDBClient, state: State) -> None:
    key = _key(1)
    _put(aws, key, state)
    deliveries = _deliveries(aws)

    deliveries.release(deliveries.entries([key]), at=LATER, by="admin-1", revive=True, unchanged_since=None)

    assert deliveries.entries([key])[key].revived_at == LATER


@pytest.mark.parametrize(
    ("kept_for", "lines", "goes"),
    [
        pytest.param(KEPT_FOR + timedelta(minutes=1), MOST_LOG_LINES - 1, True, id="just-room-enough"),
        pytest.param(KEPT_FOR, 1, False, id="gone-from-the-journal-before-its-life-is-over"),
        pytest.param(timedelta(days=30), MOST_LOG_LINES, False, id="a-log-that-is-full"),
    ],
)
def test_nothing_lives_anew_that_the_journal_has_no_room_for(
    aws: DynamoDBClient, kept_for: timedelta, lines: int, *, goes: bool
) -> None:
    full, other = _key(1), _key(2)
    _put(aws, full, State.EXPIRED, kept_for=kept_for, lines=lines)
    _put(aws, other, State.EXPIRED)
    deliveries = _deliveries(aws)

    gone = deliveries.release(
        deliveries.entries([full, other]), at=LATER, by="admin-1", revive=True, unchanged_since=None
    )

    assert sorted(gone, key=lambda key: key.recipient) == ([full, other] if goes else [other])


@pytest.mark.parametrize("state", sorted(set(State) - {State.PARKED}))
def test_what_moved_meanwhile_stays_as_it_is_and_the_others_go(aws: DynamoDBClient, state: State) -> None:
    moved, other = _key(1), _key(2)
    for key in (moved, other):
        _put(aws, key, State.PARKED)
    deliveries = _deliveries(aws)
    seen = deliveries.entries([moved, other])
    _put(aws, moved, state)

    assert deliveries.release(seen, at=LATER, by="sweep", revive=False, unchanged_since=NOW) == [other]
    assert _item(aws, moved)["state"] == {"S": state.value}


def test_two_at_once_let_each_delivery_go_once(aws: DynamoDBClient) -> None:
    keys = [_key(number) for number in range(3)]
    for key in keys:
        _put(aws, key, State.PARKED)
    deliveries = _deliveries(aws)
    seen: list[dict[DeliveryKey, Entry]] = [dict(deliveries.entries(keys)) for _ in range(2)]

    assert [len(deliveries.release(one, at=LATER, by="sweep", revive=False, unchanged_since=NOW)) for one in seen] == [
        3,
        0,
    ]
    assert [len(_item(aws, key)["log"]["L"]) for key in keys] == [2, 2, 2]


def test_what_was_parked_after_the_pass_began_stays_for_the_next(aws: DynamoDBClient) -> None:
    old, new = _key(1), _key(2)
    _put(aws, old, State.PARKED, age=timedelta(minutes=2))
    _put(aws, new, State.PARKED, age=timedelta(seconds=30))
    deliveries = _deliveries(aws)

    seen = deliveries.entries([old, new])

    assert deliveries.release(seen, at=LATER, by="sweep", revive=False, unchanged_since=NOW - timedelta(minutes=1)) == [
        old
    ]


class _Between:
    """A client behind whose first batch read another worker acts."""

    def __init__(self, client: DynamoDBClient, act: Callable[[], object]) -> None:
        self._client = client
        self._act = act

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the client has)
        return getattr(self._client, name)

    def batch_get_item(self, **request: Any) -> Any:  # noqa: ANN401  (botocore's own)
        """Read, then let the other one act."""
        answer = self._client.batch_get_item(**request)
        self._act()
        return answer


def test_two_at_once_claim_a_chunk_once(aws: DynamoDBClient) -> None:
    chunk = Chunk(project_id="acme", notification_key="a" * 64, number=0)
    aws.put_item(TableName=TABLE, Item={"pk": {"S": chunk.partition}, "sk": {"S": "#lease"}, "ends_at": {"N": "0"}})
    claimed: list[Chunk] = []
    first = OverdueChunks(aws, TABLE, clock=lambda: NOW)
    between = cast("DynamoDBClient", _Between(aws, lambda: claimed.extend(first.claim([chunk]))))
    second = OverdueChunks(between, TABLE, clock=lambda: NOW)

    assert second.claim([chunk]) == []
    assert claimed == [chunk]


def test_a_chunk_that_was_never_owned_is_not_claimed_and_no_item_is_made_for_it(aws: DynamoDBClient) -> None:
    chunk = Chunk(project_id="acme", notification_key="a" * 64, number=0)

    assert OverdueChunks(aws, TABLE, clock=lambda: NOW).claim([chunk]) == []
    assert aws.scan(TableName=TABLE)["Items"] == []


class _Undone:
    """A table that leaves the last key of each read undone, for the first `times`."""

    def __init__(self, times: int) -> None:
        self._times = times
        self.calls: list[int] = []

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803  (the service's name)
        """Read all, or all but the last."""
        keys = RequestItems[TABLE]["Keys"]
        self.calls.append(len(keys))
        undone = keys[-1:] if len(self.calls) <= self._times else []
        left = {TABLE: {**RequestItems[TABLE], "Keys": undone}} if undone else {}
        return {"Responses": {TABLE: keys[: len(keys) - len(undone)]}, "UnprocessedKeys": left}


def _pk(number: int) -> items.Item:
    return {"pk": {"S": str(number)}}


@pytest.mark.parametrize(("times", "calls"), [(0, [3]), (1, [3, 1]), (4, [3, 1, 1, 1, 1])])
def test_what_a_read_left_undone_is_asked_for_again(times: int, calls: list[int]) -> None:
    table, keys = _Undone(times), [_pk(number) for number in range(3)]

    assert list(read_items(cast("DynamoDBClient", table), TABLE, keys, attributes=["pk"])) == keys
    assert table.calls == calls


def test_a_table_that_never_answers_for_all_is_worth_another_try() -> None:
    table = cast("DynamoDBClient", _Undone(99))

    with pytest.raises(TransientError):
        list(read_items(table, TABLE, [{"pk": {"S": "1"}}], attributes=["pk"]))
