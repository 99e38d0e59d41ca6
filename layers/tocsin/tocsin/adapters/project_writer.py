"""Projects as admins write them: an item of each, and of all of them a list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

from tocsin.adapters import mail_account_items as items
from tocsin.adapters import template_items
from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.adapters.batch_reads import read_items
from tocsin.adapters.project_ids import ProjectIds, listed
from tocsin.adapters.redrive_marks import marking
from tocsin.model.project import Project
from tocsin.model.settings_error import InUse, Outdated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.adapters.audit_items import Audit
    from tocsin.adapters.mail_account_items import Item
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.audit import AuditEntry


class _PartsQuery(TypedDict):
    TableName: str
    KeyConditionExpression: str
    ExpressionAttributeValues: Mapping[str, AttributeValueTypeDef]
    ProjectionExpression: str
    ConsistentRead: bool


_READ = ("project_id", "version", "document")
_AT_ONCE = 100  # what a transaction takes


class ProjectWriter:
    """The projects of SettingsTable, read fresh and written conditionally."""

    def __init__(self, client: DynamoDBClient, table: str, *, transactions: Transactions, audit: Audit) -> None:
        self._client = client
        self._table = table
        self._transactions = transactions
        self._audit = audit

    def has_project(self, project_id: str) -> bool:
        """Whether there is such a project."""
        answer = self._client.get_item(
            TableName=self._table, Key=key_of(project_id), ConsistentRead=True, ProjectionExpression="project_id"
        )
        return "Item" in answer

    @busy_services_are_transient()
    def read(self, project_id: str) -> Project | None:
        """The project as it stands; None where there is none.

        Raises:
            TransientError: the table cannot answer now.
        """
        answer = self._client.get_item(TableName=self._table, Key=key_of(project_id), ConsistentRead=True)
        return _project(answer["Item"]) if "Item" in answer else None

    def read_some(self, project_ids: Sequence[str]) -> list[Project]:
        """Those of at most 100 projects that there are, by their ids."""
        if not project_ids:
            return []
        keys = [key_of(project_id) for project_id in project_ids]
        found = [_project(item) for item in read_items(self._client, self._table, keys, attributes=_READ)]
        return sorted(found, key=lambda project: project.project_id)

    def ids(self, *, after: str | None, size: int) -> list[str]:
        """At most `size` ids of all projects, behind the id `after`."""
        return ProjectIds(self._client, self._table).ids(after=after, size=size)

    def accounts(self, project_id: str) -> frozenset[str]:
        """The ids of the project's mail accounts."""
        pages = self._client.get_paginator("query").paginate(**self._query_of_accounts(project_id))
        return frozenset(item["sk"]["S"].removeprefix(items.PREFIX) for page in pages for item in page["Items"])

    def save(
        self, project: Project, before: Project | None, entry: AuditEntry, *, mend: Iterable[str | None], at: datetime
    ) -> None:
        """Write a new project, or the next version of one.

        What is parked for the accounts `mend`, or (None) for want of one, is marked to go again.

        Raises:
            Outdated: it is not as it was in `before`, or an account that it comes to name was deleted meanwhile.
            TransientError: the table is too busy; nothing was written.
        """
        writes = [saving_project(self._table, project, before), self._audit.recording(entry)]
        if before is None:
            writes.append({"Put": {"TableName": self._table, "Item": listed(project.project_id)}})
        writes += [marking(self._table, project.project_id, account_id, at=at) for account_id in mend]
        writes += self._keeping_accounts(project, before)[: _AT_ONCE - len(writes)]
        if self._transactions.write(writes):
            raise Outdated("the project was changed meanwhile")

    def delete(self, project: Project, entry: AuditEntry) -> None:
        """Delete the project as it was read.

        Raises:
            InUse: it has mail accounts, or templates.
            Outdated: it was changed, or an account or a template was made, meanwhile.
            TransientError: the table is too busy; nothing was deleted.
        """
        found = self._client.get_item(TableName=self._table, Key=key_of(project.project_id), ConsistentRead=True)
        made = found.get("Item", {}).get("made", {"N": "0"})
        if self._client.query(**self._query_of_accounts(project.project_id), Limit=1)["Items"]:
            raise InUse("The project has mail accounts.", remedy="Delete its mail accounts first.")
        if self._client.query(**self._query_of_templates(project.project_id), Limit=1)["Items"]:
            raise InUse("The project has templates of its own.", remedy="Delete its templates first.")
        failed = self._transactions.write(
            [
                {
                    "Delete": {
                        "TableName": self._table,
                        "Key": key_of(project.project_id),
                        # An account or a template that is made meanwhile is counted there.
                        "ConditionExpression": "version = :version AND (attribute_not_exists(made) OR made = :made)",
                        "ExpressionAttributeValues": {":version": {"N": str(project.version)}, ":made": made},
                    }
                },
                {"Delete": {"TableName": self._table, "Key": listed(project.project_id)}},
                self._audit.recording(entry),
            ]
        )
        if failed:
            raise Outdated("the project was changed meanwhile")

    def _keeping_accounts(self, project: Project, before: Project | None) -> list[TransactWriteItemTypeDef]:
        """The parts of a transaction by which the accounts stay that the project did not name before.

        Who deletes one that it named writes the project, too.
        """
        named = project.named_accounts - (before.named_accounts if before is not None else frozenset())
        keys = (items.key_of(project.project_id, account_id) for account_id in sorted(named))
        return [
            {"ConditionCheck": {"TableName": self._table, "Key": key, "ConditionExpression": "attribute_exists(sk)"}}
            for key in keys
        ]

    def _query_of_accounts(self, project_id: str) -> _PartsQuery:
        return self._query_of(project_id, items.PREFIX)

    def _query_of_templates(self, project_id: str) -> _PartsQuery:
        return self._query_of(project_id, template_items.PREFIX)

    def _query_of(self, project_id: str, prefix: str) -> _PartsQuery:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "project_id = :project AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":project": {"S": project_id}, ":prefix": {"S": prefix}},
            "ProjectionExpression": "sk",
            "ConsistentRead": True,
        }


def key_of(project_id: str) -> dict[str, AttributeValueTypeDef]:
    """The primary key of a project's item."""
    return {"project_id": {"S": project_id}, "sk": {"S": "project"}}


def saving_project(table: str, project: Project, before: Project | None) -> TransactWriteItemTypeDef:
    """The part of a transaction that writes a project, or its next version; the count of what was made stays."""
    values: dict[str, AttributeValueTypeDef] = {
        ":document": {"S": json.dumps(project.decided, ensure_ascii=False)},
        ":version": {"N": str(project.version)},
    }
    condition = "attribute_not_exists(sk)"
    if before is not None:
        condition = "version = :before"
        values[":before"] = {"N": str(before.version)}
    return {
        "Update": {
            "TableName": table,
            "Key": key_of(project.project_id),
            "UpdateExpression": "SET document = :document, version = :version",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
    }


def keeping_project(table: str, project: Project) -> TransactWriteItemTypeDef:
    """The part of a transaction by which the project stays as it was read."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": key_of(project.project_id),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(project.version)}},
        }
    }


def counting_account(table: str, project_id: str) -> TransactWriteItemTypeDef:
    """The part of a transaction that makes an account or a template: the project is there and stays meanwhile."""
    return {
        "Update": {
            "TableName": table,
            "Key": key_of(project_id),
            "UpdateExpression": "ADD made :one",
            "ConditionExpression": "attribute_exists(sk)",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def _project(item: Item) -> Project:
    fields = json.loads(item["document"]["S"])
    return Project.model_validate(
        fields | {"project_id": item["project_id"]["S"], "version": int(item["version"]["N"])}
    )
