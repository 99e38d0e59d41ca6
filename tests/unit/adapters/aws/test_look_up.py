"""The one read before anything is decided."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tocsin.adapters import template_items
from tocsin.adapters.look_up import LookUp
from tocsin.adapters.settings_store import SettingsStore
from tocsin.adapters.shared_items import SharedItems
from tocsin.adapters.transactions import Transactions
from tocsin.errors import SettingsChanged
from tocsin.model.custom_template import CustomTemplate, Scope
from tocsin.model.shared_item import SharedItem
from tocsin.model.suppression_scope import ALL, suppression_key

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.project import Project

SUPPRESSIONS, EPHEMERAL, SETTINGS = "UnitTestSuppressions", "UnitTestEphemeral", "UnitTestSettings"
_numbers = count(1)

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
    """The tables to look up in."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        _create(client, SUPPRESSIONS, hash_key="project_id", range_key="address")
        _create(client, EPHEMERAL, hash_key="pk")
        _create(client, SETTINGS, hash_key="project_id", range_key="sk")
        yield client
        for table in (SUPPRESSIONS, EPHEMERAL, SETTINGS):
            client.delete_table(TableName=table)


def _create(client: DynamoDBClient, table: str, *, hash_key: str, range_key: str | None = None) -> None:
    schema: list[KeySchemaElementTypeDef] = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key is not None:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in schema],
        KeySchema=schema,
    )


@pytest.fixture
def calls(dynamodb: DynamoDBClient) -> Iterator[list[Mapping[str, Any]]]:
    """What the client is asked for meanwhile."""
    asked: list[Mapping[str, Any]] = []

    def note(params: Mapping[str, Any], **_: object) -> None:
        asked.append(params["RequestItems"])

    dynamodb.meta.events.register("provide-client-params.dynamodb.BatchGetItem", note)
    yield asked
    dynamodb.meta.events.unregister("provide-client-params.dynamodb.BatchGetItem", note)


def _look_up(
    client: DynamoDBClient,
    project_id: str,
    recipients: Sequence[str],
    keys: Sequence[str],
    remembered: Sequence[Project | MailAccount] = (),
    *,
    scope: str = ALL,
) -> tuple[set[str], list[SharedItem]]:
    look_up = LookUp(client, suppressions_table=SUPPRESSIONS, ephemeral_table=EPHEMERAL, settings_table=SETTINGS)
    suppressed, shared, _ = look_up(project_id, recipients, keys, remembered=remembered, scope=scope)
    return set(suppressed), list(shared)


def _save(client: DynamoDBClient, project_id: str) -> tuple[Project, MailAccount]:
    """Write a project with one account; both as they are read."""
    documents: Json = {
        "project": {"name": "Acme"},
        "mail-account#one": {
            "name": "Ops mailbox",
            "relay": {"host": "relay.example", "port": 587, "security": "starttls"},
            "auth": {"type": "password", "username": "ops"},
            "senders": [{"email": "ops@acme.example"}],
        },
    }
    for sort_key, document in documents.items():
        item: Json = {"version": {"N": "1"}, "document": {"S": json.dumps(document)}}
        client.put_item(TableName=SETTINGS, Item=item | {"project_id": {"S": project_id}, "sk": {"S": sort_key}})
    settings = SettingsStore(client, SETTINGS, monotonic=lambda: 0.0).project(project_id)
    assert settings is not None
    return settings.project, settings.mail_accounts["one"]


def _suppress(client: DynamoDBClient, project_id: str, address: str, scope: str = ALL) -> None:
    key = suppression_key(address, scope)
    client.put_item(TableName=SUPPRESSIONS, Item={"project_id": {"S": project_id}, "address": {"S": key}})


def _share(client: DynamoDBClient, key: str) -> SharedItem:
    item = SharedItem(key=key).with_document({"used": 3}, forgotten_at=NOW)
    SharedItems(client, Transactions(client, pause=lambda _: None), EPHEMERAL).write([item])
    return SharedItem(key=key, version=1, document={"used": 3})


def test_who_is_suppressed_and_what_is_shared_is_read_in_one_call(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]]
) -> None:
    project = f"acme-{next(_numbers)}"
    _suppress(dynamodb, project, "bo@example.org")
    there = _share(dynamodb, f"rate#{project}")
    missing = SharedItem(key=f"breaker#{project}")

    found = _look_up(dynamodb, project, ["ana@example.org", "bo@example.org"], [there.key, missing.key])

    assert found == ({"bo@example.org"}, [there, missing])
    assert len(calls) == 1


def test_what_workers_share_is_read_as_the_last_write_left_it(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]]
) -> None:
    _look_up(dynamodb, "acme", ["ana@example.org"], ["rate#acme"])

    assert calls[0][EPHEMERAL]["ConsistentRead"] is True


def test_a_suppression_of_another_project_is_none_of_this_one(dynamodb: DynamoDBClient) -> None:
    _suppress(dynamodb, f"acme-{next(_numbers)}", "ana@example.org")

    assert _look_up(dynamodb, f"acme-{next(_numbers)}", ["ana@example.org"], []) == (set(), [])


@pytest.mark.parametrize(
    ("scope", "suppressed"),
    [
        pytest.param(ALL, {"all@example.org"}, id="everything"),
        pytest.param("status_page/public", {"all@example.org", "page@example.org"}, id="its-page"),
        pytest.param("status_page/internal", {"all@example.org"}, id="another-page"),
    ],
)
def test_who_left_a_page_s_list_is_suppressed_for_that_page_in_the_same_call(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]], scope: str, suppressed: set[str]
) -> None:
    project = f"acme-{next(_numbers)}"
    people = [f"{name}@example.org" for name in ("all", "page", "nobody")]
    _suppress(dynamodb, project, people[0])
    _suppress(dynamodb, project, people[1], "status_page/public")

    assert _look_up(dynamodb, project, people, [], scope=scope) == (suppressed, [])
    assert len(calls) == 1


@pytest.mark.parametrize("recipients", [99, 100, 101, 250])
def test_more_than_one_call_takes_is_asked_in_several(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]], recipients: int
) -> None:
    project = f"acme-{next(_numbers)}"
    people = [f"p{number}@example.org" for number in range(recipients)]
    _suppress(dynamodb, project, people[0])
    _suppress(dynamodb, project, people[-1])

    suppressed, shared = _look_up(dynamodb, project, people, ["rate#nothing"])

    assert suppressed == {people[0], people[-1]}
    assert shared == [SharedItem(key="rate#nothing")]
    assert len(calls) == -(-(recipients + 1) // 100)


@pytest.mark.parametrize("address", ["", "a" * 1013 + "@example.org"])
def test_an_address_that_can_be_no_key_is_suppressed_nowhere(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]], address: str
) -> None:
    assert _look_up(dynamodb, "acme", [address], []) == (set(), [])
    assert calls == []


def test_settings_that_still_stand_are_confirmed_in_the_same_call(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]]
) -> None:
    project_id = f"acme-{next(_numbers)}"
    remembered = _save(dynamodb, project_id)

    found = _look_up(dynamodb, project_id, ["ana@example.org"], ["rate#nothing"], remembered)

    assert found == (set(), [SharedItem(key="rate#nothing")])
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("sort_key", "change"),
    [
        pytest.param("project", {"version": {"N": "2"}}, id="the-project"),
        pytest.param("mail-account#one", {"version": {"N": "2"}}, id="the-account"),
        pytest.param("mail-account#one", {"credential_version": {"S": "v2"}}, id="its-credential"),
        pytest.param("mail-account#one", {"state": {"S": '{"status": "disabled"}'}}, id="what-was-found-out"),
        pytest.param("mail-account#one", {"document": {"S": "{}"}}, id="to-what-cannot-be-read"),
    ],
)
def test_settings_that_were_changed_are_not(dynamodb: DynamoDBClient, sort_key: str, change: Json) -> None:
    project_id = f"acme-{next(_numbers)}"
    remembered = _save(dynamodb, project_id)
    key: Json = {"project_id": {"S": project_id}, "sk": {"S": sort_key}}
    item = dynamodb.get_item(TableName=SETTINGS, Key=key)["Item"]
    dynamodb.put_item(TableName=SETTINGS, Item={**item, **change})

    with pytest.raises(SettingsChanged):
        _look_up(dynamodb, project_id, ["ana@example.org"], [], remembered)


@pytest.mark.parametrize("sort_key", ["project", "mail-account#one"])
def test_settings_that_were_deleted_are_not(dynamodb: DynamoDBClient, sort_key: str) -> None:
    project_id = f"acme-{next(_numbers)}"
    remembered = _save(dynamodb, project_id)
    dynamodb.delete_item(TableName=SETTINGS, Key={"project_id": {"S": project_id}, "sk": {"S": sort_key}})

    with pytest.raises(SettingsChanged):
        _look_up(dynamodb, project_id, ["ana@example.org"], [], remembered)


def test_templates_come_with_the_same_call_by_their_names(
    dynamodb: DynamoDBClient, calls: list[Mapping[str, Any]]
) -> None:
    project_id = f"acme-{next(_numbers)}"
    scope = Scope(type="status_page.created", status_page_id="public")
    ours = CustomTemplate(
        project_id=project_id, scope=scope, version=3, subject="Ours", updated_at=NOW, updated_by="admin-1"
    )
    none: Json = {"version": {"N": "1"}, "document": {"S": "{}"}}
    for name, item in ((ours.name, template_items.write_template(ours)), ("incident.created", none)):
        dynamodb.put_item(TableName=SETTINGS, Item=template_items.key_of(project_id, name) | item)
    look_up = LookUp(dynamodb, suppressions_table=SUPPRESSIONS, ephemeral_table=EPHEMERAL, settings_table=SETTINGS)
    names = (ours.name, "status_page.created", "incident.created")

    *_, templates = look_up(project_id, ["ana@example.org"], [], templates=names)

    assert templates == {ours.name: ours}
    assert len(calls) == 1
