"""Projects and mail accounts in SettingsTable (DESIGN section 5)."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Any

from tocsin.model.mail_account import MailAccount
from tocsin.model.project import Project, ProjectSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

_MAX_AGE_SECONDS = 10.0
_MAIL_ACCOUNT = "mail-account#"


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
        settings = _settings(self._items(project_id))
        with self._lock:
            if settings is not None:
                self._read[project_id] = (self._monotonic(), settings)
            else:
                self._read.pop(project_id, None)
        return settings

    def _items(self, project_id: str) -> Iterable[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="project_id = :project AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":project": {"S": project_id},
                ":first": {"S": _MAIL_ACCOUNT},
                ":last": {"S": "project"},
            },
        )
        for page in pages:
            yield from page["Items"]


def _settings(items: Iterable[Item]) -> ProjectSettings | None:
    project: Project | None = None
    accounts: dict[str, MailAccount] = {}
    for item in items:
        sort_key = item["sk"]["S"]
        document = _document(item)
        if sort_key == "project":
            project = Project.model_validate(document)
        elif sort_key.startswith(_MAIL_ACCOUNT):
            account_id = sort_key.removeprefix(_MAIL_ACCOUNT)
            accounts[account_id] = MailAccount.model_validate(document | {"id": account_id})
    return ProjectSettings(project=project, mail_accounts=accounts) if project is not None else None


def _document(item: Item) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(item["document"]["S"])
    document |= {"project_id": item["project_id"]["S"], "version": int(item["version"]["N"])}
    if "credential_version" in item:
        document["credential_version"] = item["credential_version"]["S"]
    return document
