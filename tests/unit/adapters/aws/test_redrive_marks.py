"""Marks outlive whoever works on them, begin anew when an account is mended again, and are no grants."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tocsin.adapters.grant_store import GrantStore
from tocsin.adapters.mail_account_items import DUE_SHARDS
from tocsin.adapters.redrive_marks import RedriveMarks, marking
from tocsin.adapters.transactions import Transactions
from tocsin.errors import TransientError

from tests.contract.template import RESOURCES
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from tocsin.model.redrive import Mark

TABLE = "UnitTestMarks"
_SOON = NOW + timedelta(minutes=2)


@pytest.fixture
def aws() -> Iterator[DynamoDBClient]:
    """A table for settings, as the template makes it."""
    properties = RESOURCES["SettingsTable"]["Properties"]
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


@pytest.fixture
def marks(aws: DynamoDBClient) -> RedriveMarks:
    """The marks of the table."""
    return RedriveMarks(aws, TABLE)


def _mend(aws: DynamoDBClient, account_id: str | None = "first") -> None:
    """Mark as the transaction does that mends an account."""
    aws.transact_write_items(TransactItems=[marking(TABLE, "acme", account_id, at=NOW)])


def _only(marks: RedriveMarks) -> Mark:
    [mark] = marks.due(_SOON)
    return mark


def _item(aws: DynamoDBClient) -> dict[str, Any]:
    [item] = aws.scan(TableName=TABLE)["Items"]
    return dict(item)


@pytest.mark.parametrize("account_id", ["first", None])
def test_a_mark_says_for_whom_and_since_when(aws: DynamoDBClient, marks: RedriveMarks, account_id: str | None) -> None:
    _mend(aws, account_id)

    mark = _only(marks)

    assert (mark.project_id, mark.mail_account_id, mark.since, mark.reached) == ("acme", account_id, NOW, None)
    assert mark.pass_at == NOW + timedelta(seconds=10)
    assert [*marks.due(mark.pass_at - timedelta(microseconds=1))] == []


def test_how_far_a_pass_came_is_kept_until_it_ends(aws: DynamoDBClient, marks: RedriveMarks) -> None:
    _mend(aws)
    mark = _only(marks)

    marks.reach(mark, "2026-11-21T09:00:00.000000Z")
    assert _only(marks).reached == "2026-11-21T09:00:00.000000Z"

    marks.end_pass(mark, next_pass_at=NOW + timedelta(minutes=1))
    assert (_only(marks).reached, _only(marks).pass_at) == (None, NOW + timedelta(minutes=1))


def test_a_straggler_changes_nothing_about_the_next_pass(aws: DynamoDBClient, marks: RedriveMarks) -> None:
    _mend(aws)
    mark = _only(marks)
    marks.end_pass(mark, next_pass_at=NOW + timedelta(minutes=1))

    marks.reach(mark, "2026-11-21T09:00:00.000000Z")
    marks.end_pass(mark, next_pass_at=None)

    assert (_only(marks).reached, _only(marks).pass_at) == (None, NOW + timedelta(minutes=1))


def test_an_account_that_is_mended_again_begins_anew_whatever_the_sweep_does(
    aws: DynamoDBClient, marks: RedriveMarks
) -> None:
    _mend(aws)
    mark = _only(marks)
    marks.reach(mark, "2026-11-21T09:00:00.000000Z")
    _mend(aws)

    marks.end_pass(mark, next_pass_at=None)

    assert _only(marks).reached is None
    assert _only(marks).token != mark.token


def test_a_mark_whose_passes_are_over_is_forgotten_unless_it_is_set_again(
    aws: DynamoDBClient, marks: RedriveMarks
) -> None:
    _mend(aws)
    mark = _only(marks)

    marks.end_pass(mark, next_pass_at=None)
    assert [*marks.due(_SOON)] == []
    assert int(_item(aws)["ttl"]["N"]) > NOW.timestamp()

    _mend(aws)
    assert _only(marks).since == NOW
    assert "ttl" not in _item(aws)


def test_marks_of_several_times_stand_side_by_side(aws: DynamoDBClient, marks: RedriveMarks) -> None:
    next_month = NOW + timedelta(days=10)
    _mend(aws)
    for _ in range(2):
        marks.mark("acme", "first", next_month)

    assert len(aws.scan(TableName=TABLE)["Items"]) == 2
    assert [mark.since for mark in marks.due(_SOON)] == [NOW]
    assert [mark.since for mark in marks.due(next_month + timedelta(minutes=1))] == [NOW, next_month]


def test_the_refresh_of_grants_sees_no_mark(aws: DynamoDBClient) -> None:
    _mend(aws)
    store = GrantStore(
        aws,
        lambda: cast("SecretsManagerClient", None),  # it is not asked
        table=TABLE,
        secret_prefix="tocsin/unit",
        transactions=Transactions(aws, pause=lambda _: None),
        clock=lambda: NOW,
    )

    assert [found for shard in range(DUE_SHARDS) for found in store.due(shard, _SOON)] == []


def test_a_table_that_is_too_busy_for_a_mark_may_take_it_later() -> None:
    class Busy:
        def update_item(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")

    with pytest.raises(TransientError):
        RedriveMarks(cast("DynamoDBClient", Busy()), TABLE).mark("acme", "first", NOW)


def test_however_many_marks_are_due_all_of_them_are_found(marks: RedriveMarks) -> None:
    for number in range(130):
        marks.mark("acme", f"account-{number}", NOW)

    assert len({mark.name for mark in marks.due(_SOON)}) == 130
