"""Projects and mail accounts in SettingsTable (DESIGN section 5)."""

from __future__ import annotations

import json
from contextlib import suppress
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
        with self._lock:
            read_at, settings = self._read.get(project_id, (0.0, None))
        if settings is not None and self._monotonic() - read_at < _MAX_AGE_SECONDS:
            return settings
        read_at = self._monotonic()  # before the query: what it read may be as old as that
        settings = _settings(self._items(project_id))
        with self._lock:
            if settings is not None:
                self._read[project_id] = (read_at, settings)
            else:
                self._read.pop(project_id, None)
        return settings

    def _items(self, project_id: str) -> Iterable[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="project_id = :project AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":project": {"S": project_id},
                ":first": {"S": items.PREFIX},
                ":last": {"S": "project"},
            },
        )
        for page in pages:
            yield from page["Items"]


def _settings(found: Iterable[Item]) -> ProjectSettings | None:
    project: Project | None = None
    accounts: dict[str, MailAccount] = {}
    for item in found:
        if item["sk"]["S"] == "project":
            project = _project(item)
        elif item["sk"]["S"].startswith(items.PREFIX):
            with suppress(ValidationError):  # one that cannot be read carries nothing, and harms no other
                account = items.read_account(item)
                accounts[account.id] = account
    return ProjectSettings(project=project, mail_accounts=accounts) if project is not None else None


def _project(item: Item) -> Project:
    fields: dict[str, Any] = json.loads(item["document"]["S"])
    return Project.model_validate(
        fields | {"project_id": item["project_id"]["S"], "version": int(item["version"]["N"])}
    )
