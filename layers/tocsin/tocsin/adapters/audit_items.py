"""The audit in SettingsTable: an item for each change, written in the transaction that makes the change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.model.audit import AuditEntry

PREFIX = "audit#"
_LEAST_KEPT = timedelta(days=400)  # who changed what is asked later than what became of a mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Where the audit is kept, and for how long: as long as deliveries are (`retention`), and 400 days at least."""

    table: str
    retention: timedelta

    def recording(self, entry: AuditEntry) -> TransactWriteItemTypeDef:
        """The entry as a part of a transaction; an update, which is all that most roles may do."""
        item = self._item(entry)
        return {
            "Update": {
                "TableName": self.table,
                "Key": {name: item[name] for name in ("project_id", "sk")},
                "UpdateExpression": "SET document = :document, #ttl = :ttl",
                "ExpressionAttributeNames": {"#ttl": "ttl"},
                "ExpressionAttributeValues": {":document": item["document"], ":ttl": item["ttl"]},
            }
        }

    def record(self, client: DynamoDBClient, entry: AuditEntry) -> None:
        """Write the entry alone: of what is done elsewhere, and is done by now."""
        client.put_item(TableName=self.table, Item=self._item(entry))

    def _item(self, entry: AuditEntry) -> dict[str, AttributeValueTypeDef]:
        """The time sorts; behind it stands what tells two entries of one microsecond apart."""
        at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        document = {
            "admin": entry.admin,
            "action": entry.action,
            "subject": entry.subject,
            "fields": entry.fields,
            "details": dict(entry.details),
        }
        return {
            "project_id": {"S": entry.project_id},
            "sk": {"S": f"{PREFIX}{at}#{uuid4().hex}"},
            "document": {"S": json.dumps(document)},
            "ttl": {"N": str(int((entry.at + max(self.retention, _LEAST_KEPT)).timestamp()))},
        }
