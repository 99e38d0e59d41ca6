"""Projects and mail accounts in SettingsTable (DESIGN section 5)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tocsin.adapters import mail_account_items as items
from tocsin.model.project import Project, ProjectSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient

    from tocsin.adapters.mail_account_items import Item
    from tocsin.model.mail_account import MailAccount

_MAX_AGE_SECONDS = 10.0
_PROJECT = "project"  # the sort key of the project itself


class SettingsStore:
    """Reads a project with its mail accounts in one query, and keeps what it read for at most 10 s."""

    def __init__(self, client: DynamoDBClient, table: str, *, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._read: dict[str, tuple[float, ProjectSettings]] = {}
        self._lock = Lock()

    def project(self, project_id: str) -> ProjectSettings | None:
        """The project's settings; None where there is no such project (never remembered)."""
        settings = self._remembered(project_id)
        if settings is not None and not settings.is_old:
            return settings
        read_at = self._monotonic()  # before the query: what it read may be as old as that
        settings = self.fresh(project_id)
        with self._lock:
            if settings is not None:
                self._read[project_id] = (read_at, settings)
            else:
                self._read.pop(project_id, None)
        return settings

    def remembered(self, project_id: str) -> ProjectSettings | None:
        """The project's settings as they were last read, however long ago; None where there is no such project."""
        return self._remembered(project_id) or self.project(project_id)

    def fresh(self, project_id: str) -> ProjectSettings | None:
        """The project's settings as they stand, which are not kept: who reads all projects has no room for them."""
        return _settings(self._items(project_id))

    def _remembered(self, project_id: str) -> ProjectSettings | None:
        with self._lock:
            read_at, settings = self._read.get(project_id, (0.0, None))
        if settings is None or self._monotonic() - read_at < _MAX_AGE_SECONDS:
            return settings
        return replace(settings, is_old=True)

    def _items(self, project_id: str) -> Iterable[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="project_id = :project AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":project": {"S": project_id},
                ":first": {"S": items.PREFIX},
                ":last": {"S": _PROJECT},
            },
        )
        for page in pages:
            yield from page["Items"]


def settings_key(one: Project | MailAccount) -> Item:
    """The primary key of what was read."""
    if isinstance(one, Project):
        return {"project_id": {"S": one.project_id}, "sk": {"S": _PROJECT}}
    return items.key_of(one.project_id, one.id)


def still_stands(one: Project | MailAccount, item: Item) -> bool:
    """Whether the item is that of `one`, and would be read as `one` again."""
    if any(item[name] != value for name, value in settings_key(one).items()):
        return False
    with suppress(ValidationError):
        return one == (_project(item) if isinstance(one, Project) else items.read_account(item))
    return False


def _settings(found: Iterable[Item]) -> ProjectSettings | None:
    project: Project | None = None
    accounts: dict[str, MailAccount] = {}
    for item in found:
        if item["sk"]["S"] == _PROJECT:
            project = _project(item)
        elif item["sk"]["S"].startswith(items.PREFIX):
            with suppress(ValidationError):  # one that cannot be read carries nothing, and harms no other
                account = items.read_account(item)
                accounts[account.id] = account
    return ProjectSettings(project=project, mail_accounts=accounts) if project is not None else None


def _project(item: Item) -> Project:
    key: dict[str, Any] = {"project_id": item["project_id"]["S"], "version": int(item["version"]["N"])}
    try:
        return Project.model_validate({**json.loads(item["document"]["S"]), **key, "is_readable": True})
    except (ValueError, TypeError):  # no JSON, no object, or none with a project's fields
        return Project(**key, is_readable=False)
