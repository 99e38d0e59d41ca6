"""What is written of custom templates that fail: seldom, of the version that failed, and never at a mail's expense."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tocsin.adapters import template_items as items
from tocsin.adapters.template_failures import TemplateFailures
from tocsin.model.custom_template import BrokenTemplate, CustomTemplate, Failure, Scope

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "UnitTestTemplates"
_numbers = count(1)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
    """The table of settings."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("project_id", "sk")],
            KeySchema=[
                {"AttributeName": "project_id", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        yield client


@pytest.fixture
def template(dynamodb: DynamoDBClient) -> CustomTemplate:
    """A template of this test's own, saved."""
    template = CustomTemplate(
        project_id=f"acme-{next(_numbers)}",
        scope=Scope(type="incident.created"),
        version=1,
        subject="Ours",
        updated_at=NOW,
        updated_by="admin-1",
    )
    _save(dynamodb, template)
    return template


def _save(client: DynamoDBClient, template: CustomTemplate) -> None:
    client.put_item(
        TableName=TABLE, Item=items.key_of(template.project_id, template.name) | items.write_template(template)
    )


def _read(client: DynamoDBClient, template: CustomTemplate) -> CustomTemplate:
    key = items.key_of(template.project_id, template.name)
    return items.read_template(client.get_item(TableName=TABLE, Key=key)["Item"])


def _fail(
    client: DynamoDBClient, template: CustomTemplate, *, at: datetime = NOW, reason: str = "it fails"
) -> list[Any]:
    told: list[Any] = []
    tell = TemplateFailures(client, TABLE, clock=lambda: at, on_failure=lambda *what: told.append(what))
    tell(template, BrokenTemplate(reason, part="html", line=7))
    return told


def test_a_failure_stands_beside_the_template(dynamodb: DynamoDBClient, template: CustomTemplate) -> None:
    _fail(dynamodb, template)

    failure = Failure(at=NOW, part="html", line=7, reason="it fails")
    assert _read(dynamodb, template) == replace(template, last_error=failure)


@pytest.mark.parametrize(("minutes", "said"), [(0, "first"), (9, "first"), (11, "second")])
@pytest.mark.parametrize("knows", [True, False], ids=["who-read-it", "who-read-the-template-before"])
def test_it_is_written_once_in_ten_minutes(
    dynamodb: DynamoDBClient, template: CustomTemplate, minutes: int, said: str, *, knows: bool
) -> None:
    _fail(dynamodb, template, reason="first")
    read = _read(dynamodb, template) if knows else template

    assert _fail(dynamodb, read, at=NOW + timedelta(minutes=minutes), reason="second") == []

    failure = _read(dynamodb, template).last_error
    assert failure is not None
    assert failure.reason == said


def test_a_new_version_has_not_failed(dynamodb: DynamoDBClient, template: CustomTemplate) -> None:
    after = replace(template, version=2, subject="New")
    _save(dynamodb, after)

    assert _fail(dynamodb, template) == []

    assert _read(dynamodb, template) == after


def test_one_that_was_deleted_stays_away(dynamodb: DynamoDBClient, template: CustomTemplate) -> None:
    key = items.key_of(template.project_id, template.name)
    dynamodb.delete_item(TableName=TABLE, Key=key)

    assert _fail(dynamodb, template) == []

    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key=key)


def test_a_table_that_does_not_answer_is_told_of_and_harms_nothing(
    dynamodb: DynamoDBClient, template: CustomTemplate
) -> None:
    told: list[tuple[str, int]] = []
    tell = TemplateFailures(
        dynamodb, "nowhere", clock=lambda: NOW, on_failure=lambda reason, number: told.append((reason, number))
    )

    tell(template, BrokenTemplate("it fails", part="text"))

    assert told == [("ResourceNotFoundException", 1)]
