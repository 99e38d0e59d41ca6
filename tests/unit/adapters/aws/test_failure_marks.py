"""Marks of days with failures: one for a project and a day, due when the day is over, and found until they are done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from moto import mock_aws
from tocsin.adapters.failure_marks import FailureMarks
from tocsin.adapters.mail_account_items import DUE_SHARDS
from tocsin.adapters.redrive_marks import RedriveMarks
from tocsin.model.day_of_failures import FailureMark

from tests.contract.template import RESOURCES
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "UnitTestFailureMarks"
DUE = NOW + timedelta(hours=3)
MARK = FailureMark(project_id="acme", due_at=DUE, since=NOW)
LATER = replace(MARK, due_at=DUE + timedelta(days=1))


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
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


@pytest.fixture
def marks(dynamodb: DynamoDBClient) -> FailureMarks:
    """No marks yet."""
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        dynamodb.delete_item(TableName=TABLE, Key={name: item[name] for name in ("project_id", "sk")})
    return FailureMarks(dynamodb, TABLE)


def test_a_day_is_due_when_it_is_over_the_oldest_first(marks: FailureMarks) -> None:
    for mark in (LATER, MARK, replace(MARK, project_id="other", due_at=DUE + timedelta(hours=1))):
        marks.mark(mark)

    assert [*marks.due(DUE - timedelta(microseconds=1))] == []
    assert [*marks.due(DUE)] == [MARK]
    assert [mark.project_id for mark in marks.due(DUE + timedelta(days=2))] == ["acme", "other", "acme"]


@pytest.mark.parametrize(("ago", "kept"), [(timedelta(hours=-1), timedelta(0)), (timedelta(days=3), timedelta(days=3))])
def test_of_many_marks_of_a_day_the_earliest_since_is_kept(
    marks: FailureMarks, dynamodb: DynamoDBClient, ago: timedelta, kept: timedelta
) -> None:
    marks.mark(MARK)

    FailureMarks(dynamodb, TABLE).mark(replace(MARK, since=NOW - ago))

    assert [*marks.due(DUE)] == [replace(MARK, since=NOW - kept)]


def test_however_many_projects_had_failures_all_of_them_are_due(marks: FailureMarks) -> None:
    for number in range(130):
        marks.mark(replace(MARK, project_id=f"p{number}"))

    found = []
    for mark in marks.due(DUE):
        marks.done(mark)  # the index changes under the eyes of whoever reads it
        found.append(mark.project_id)

    assert sorted(found) == sorted(f"p{number}" for number in range(130))


def test_what_is_done_is_not_due_again(marks: FailureMarks) -> None:
    marks.mark(MARK)
    marks.mark(LATER)

    marks.done(MARK)

    assert [*marks.due(DUE + timedelta(days=2))] == [LATER]


def test_a_process_writes_a_day_once_unless_there_is_something_older(
    marks: FailureMarks, dynamodb: DynamoDBClient
) -> None:
    calls: list[Any] = []
    note = lambda **_: calls.append(None)  # noqa: E731  (it is registered, and taken back)
    dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", note)

    for since in (NOW, NOW, NOW + timedelta(hours=1), NOW - timedelta(hours=1), NOW):
        marks.mark(replace(MARK, since=since))

    dynamodb.meta.events.unregister("before-call.dynamodb.UpdateItem", note)
    assert len(calls) == 2


def test_it_is_neither_a_grant_nor_a_mark_of_a_redrive(marks: FailureMarks, dynamodb: DynamoDBClient) -> None:
    marks.mark(MARK)
    RedriveMarks(dynamodb, TABLE).mark("acme", None, NOW)

    assert [*RedriveMarks(dynamodb, TABLE).due(DUE)] != []
    assert [mark.project_id for mark in marks.due(DUE)] == ["acme"]
    assert {item["due_shard"]["N"] for item in dynamodb.scan(TableName=TABLE)["Items"]} == {
        str(DUE_SHARDS),
        str(DUE_SHARDS + 1),
    }
    [item] = (item for item in dynamodb.scan(TableName=TABLE)["Items"] if item["sk"]["S"].startswith("failures#"))
    assert int(item["ttl"]["N"]) > (DUE + timedelta(days=6)).timestamp()


def test_a_mark_that_the_index_still_shows_and_that_is_gone_is_left_out(
    marks: FailureMarks, dynamodb: DynamoDBClient
) -> None:
    marks.mark(MARK)

    assert [*FailureMarks(cast("DynamoDBClient", _Behind(dynamodb)), TABLE).due(DUE)] == []


class _Behind:
    """A client whose index is behind its table, as moto's never is."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.get_paginator = client.get_paginator

    def get_item(self, **_: object) -> dict[str, Any]:
        return {}
