"""How long settings are remembered, and which."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
from tocsin.adapters.settings_store import SettingsStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Json = dict[str, Any]

ACCOUNT: Json = {
    "name": "Ops mailbox",
    "relay": {"host": "relay.example", "port": 587, "security": "starttls"},
    "auth": {"type": "password", "username": "ops"},
    "senders": [{"email": "ops@acme.example"}],
}


class FakeTable:
    """SettingsTable as a client sees it, with a clock that each query moves on."""

    def __init__(self, *, query_seconds: float = 0.0) -> None:
        self.items: list[Json] = []
        self.now = 1000.0
        self.queries = 0
        self._query_seconds = query_seconds

    def put(self, project_id: str, sort_key: str, document: Json, *, version: int = 1, **attributes: Json) -> None:
        """Write an item, over what stands there."""
        key: Json = {"project_id": {"S": project_id}, "sk": {"S": sort_key}}
        self.items = [item for item in self.items if not key.items() <= item.items()]
        self.items.append(key | {"version": {"N": str(version)}, "document": {"S": json.dumps(document)}} | attributes)

    def get_paginator(self, operation: str) -> Self:
        """The paginator of `query`: itself."""
        assert operation == "query"
        return self

    def paginate(self, *, ExpressionAttributeValues: Json, **_: object) -> list[Json]:  # noqa: N803  (the service's name)
        """One page for each item."""
        self.queries += 1
        project, first, last = (ExpressionAttributeValues[f":{name}"]["S"] for name in ("project", "first", "last"))
        found = [item for item in self.items if item["project_id"]["S"] == project and first <= item["sk"]["S"] <= last]
        self.now += self._query_seconds
        return [{"Items": [item]} for item in found]


def _store(table: FakeTable) -> SettingsStore:
    return SettingsStore(cast("DynamoDBClient", table), "SettingsTable", monotonic=lambda: table.now)


def _acme(table: FakeTable) -> None:
    table.put("acme", "project", {"name": "Acme", "routes": {"incident": ["one"]}}, version=3)
    table.put("acme", "mail-account#one", ACCOUNT, version=7, credential_version={"S": "v1"})
    table.put("acme", "audit#2026", {"who": "ana"})
    table.put("acme", "template#incident.created", {"subject": "x"})
    table.put("other", "mail-account#two", ACCOUNT)


def test_a_project_is_read_with_its_own_mail_accounts_in_one_query() -> None:
    table = FakeTable()
    _acme(table)

    settings = _store(table).project("acme")

    assert settings is not None
    assert (settings.project.name, settings.project.version) == ("Acme", 3)
    [one] = settings.mail_accounts.values()
    assert (one.project_id, one.id, one.version, one.credential_version) == ("acme", "one", 7, "v1")
    assert table.queries == 1


@pytest.mark.parametrize(
    ("query_seconds", "later", "queries"),
    [
        pytest.param(0.0, 9.9, 1, id="within-ten-seconds"),
        pytest.param(0.0, 10.0, 2, id="after-ten-seconds"),
        pytest.param(4.0, 5.9, 1, id="slow-query-within"),
        pytest.param(4.0, 6.0, 2, id="slow-query-counts"),
    ],
)
def test_settings_are_at_most_ten_seconds_old(query_seconds: float, later: float, queries: int) -> None:
    table = FakeTable(query_seconds=query_seconds)
    _acme(table)
    store = _store(table)
    store.project("acme")
    table.put("acme", "project", {"name": "Renamed"}, version=4)

    table.now += later
    settings = store.project("acme")

    assert settings is not None
    assert table.queries == queries
    assert settings.project.name == ("Acme" if queries == 1 else "Renamed")


@pytest.mark.parametrize(("later", "is_old"), [(9.9, False), (10.0, True), (3600.0, True)])
def test_what_was_read_is_remembered_for_those_who_confirm_it(later: float, is_old: bool) -> None:  # noqa: FBT001  (a table's column)
    table = FakeTable()
    _acme(table)
    store = _store(table)
    read = store.remembered("acme")
    table.now += later

    again = store.remembered("acme")

    assert read is not None
    assert again is not None
    assert (read.is_old, again.is_old) == (False, is_old)
    assert (again.project, again.mail_accounts) == (read.project, read.mail_accounts)
    assert table.queries == 1


def test_what_is_read_anew_is_what_is_remembered() -> None:
    table = FakeTable()
    _acme(table)
    store = _store(table)
    store.project("acme")
    table.put("acme", "project", {"name": "Renamed"}, version=4)
    table.now += 10

    store.project("acme")
    settings = store.remembered("acme")

    assert settings is not None
    assert (settings.project.name, settings.is_old) == ("Renamed", False)


def test_a_project_that_was_never_read_is_read_by_those_who_remember() -> None:
    table = FakeTable()

    assert _store(table).remembered("acme") is None
    assert table.queries == 1


def test_projects_are_remembered_apart() -> None:
    table = FakeTable()
    _acme(table)
    table.put("other", "project", {"name": "Other"})
    store = _store(table)

    names = [store.project(project_id) for project_id in ("acme", "other", "acme", "other")]

    assert [settings.project.name if settings else None for settings in names] == ["Acme", "Other", "Acme", "Other"]
    assert table.queries == 2


def test_an_unknown_project_is_asked_for_each_time() -> None:
    table = FakeTable()
    store = _store(table)

    assert [store.project("acme"), store.project("acme")] == [None, None]
    assert table.queries == 2

    _acme(table)
    assert store.project("acme") is not None


def test_mail_accounts_without_a_project_are_no_project() -> None:
    table = FakeTable()
    _acme(table)

    assert _store(table).project("other") is None


@pytest.mark.parametrize("text", ["no JSON", '["a list"]', '"a text"', '{"routes": 7}', "null"])
def test_a_project_that_is_none_is_unreadable_and_its_accounts_are_not(text: str) -> None:
    table = FakeTable()
    _acme(table)
    next(item for item in table.items if item["sk"] == {"S": "project"})["document"] = {"S": text}

    settings = _store(table).project("acme")

    assert settings is not None
    assert (settings.project.project_id, settings.project.version, settings.project.is_readable) == ("acme", 3, False)
    assert list(settings.mail_accounts) == ["one"]


def test_a_project_cannot_call_itself_unreadable() -> None:
    table = FakeTable()
    table.put("acme", "project", {"is_readable": False})

    settings = _store(table).project("acme")

    assert settings is not None
    assert settings.project.is_readable


def test_a_project_that_was_deleted_is_forgotten() -> None:
    table = FakeTable()
    _acme(table)
    store = _store(table)
    assert store.project("acme") is not None
    table.items.clear()

    table.now += 10

    assert store.project("acme") is None
    assert store.project("acme") is None
    assert table.queries == 3
