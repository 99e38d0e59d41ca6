"""The audit in SettingsTable, as it is read: newest first."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from tocsin.adapters.audit_items import PREFIX
from tocsin.model.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

    from tocsin.adapters.audit_items import Audit

    Item = Mapping[str, AttributeValueTypeDef]

_FIRST = PREFIX + "0"  # sorts before every time
_LAST = PREFIX + "~"  # and this one behind


class AuditLog:
    """The audit of all projects."""

    def __init__(self, client: DynamoDBClient, audit: Audit) -> None:
        self._client = client
        self._audit = audit

    def record(self, entry: AuditEntry) -> None:
        """Write the entry: of what is done elsewhere, and is done by now."""
        self._audit.record(self._client, entry)

    def page(self, project_id: str, *, behind: str | None, size: int) -> tuple[list[AuditEntry], str | None]:
        """At most `size` entries, newest first, behind a place; and the place where the list goes on, if it does."""
        query: QueryInputTypeDef = {
            "TableName": self._audit.table,
            "KeyConditionExpression": "project_id = :project AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":project": {"S": project_id},
                ":first": {"S": _FIRST},
                ":last": {"S": _LAST},
            },
            "ScanIndexForward": False,
            "Limit": size,
            "ConsistentRead": True,
        }
        if behind is not None:
            query["ExclusiveStartKey"] = {"project_id": {"S": project_id}, "sk": {"S": f"{PREFIX}{behind}"}}
        answer = self._client.query(**query)
        last = answer.get("LastEvaluatedKey")
        return [_entry(item) for item in answer["Items"]], last["sk"]["S"].removeprefix(PREFIX) if last else None


def _entry(item: Item) -> AuditEntry:
    document = json.loads(item["document"]["S"])
    at = item["sk"]["S"].removeprefix(PREFIX).partition("#")[0]
    return AuditEntry(
        project_id=item["project_id"]["S"],
        at=datetime.fromisoformat(at),
        admin=document["admin"],
        action=document["action"],
        subject=document["subject"],
        fields=tuple(document["fields"]),
        details=document.get("details", {}),
    )
