"""Custom templates as admins write them: an item of the one that stands, and of each of the last that stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters import template_items as items
from tocsin.adapters.project_writer import counting_account
from tocsin.model.custom_template import KEPT_VERSIONS
from tocsin.model.settings_error import NotThere, Outdated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.adapters.audit_items import Audit
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.audit import AuditEntry
    from tocsin.model.custom_template import CustomTemplate

_LAST_VERSION = 9_999_999_999


class TemplateStore:
    """The custom templates of SettingsTable, read fresh and written conditionally."""

    def __init__(self, client: DynamoDBClient, table: str, *, transactions: Transactions, audit: Audit) -> None:
        self._client = client
        self._table = table
        self._transactions = transactions
        self._audit = audit

    def read(self, project_id: str, name: str) -> CustomTemplate | None:
        """The template as it stands; None where there is none."""
        return self._read(items.key_of(project_id, name))

    def version(self, project_id: str, name: str, version: int) -> CustomTemplate | None:
        """A version that stood before; None where it is not, or no longer, kept."""
        return self._read(items.version_key(project_id, name, version))

    def latest_version(self, project_id: str, name: str) -> int:
        """The number of the last version that stood before; 0: there was none."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="project_id = :project AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":project": {"S": project_id},
                ":first": items.version_key(project_id, name, 0)["sk"],
                ":last": items.version_key(project_id, name, _LAST_VERSION)["sk"],
            },
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=1,
        )
        return int(answer["Items"][0]["version"]["N"]) if answer["Items"] else 0

    def page(self, project_id: str, *, after: str | None, size: int) -> tuple[list[CustomTemplate], str | None]:
        """At most `size` templates by their names, behind the name `after`; and the name where the list goes on."""
        start = {"ExclusiveStartKey": items.key_of(project_id, after)} if after is not None else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="project_id = :project AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":project": {"S": project_id}, ":prefix": {"S": items.PREFIX}},
            ConsistentRead=True,
            Limit=size,
            **start,  # type: ignore[arg-type]  # one keyword, or none
        )
        last = answer.get("LastEvaluatedKey")
        templates = [items.read_template(item) for item in answer["Items"]]
        return templates, last["sk"]["S"].removeprefix(items.PREFIX) if last else None

    def save(self, template: CustomTemplate, before: CustomTemplate | None, entry: AuditEntry) -> None:
        """Write a new template, or the next version of one, and keep the one before.

        Raises:
            NotThere: the project was deleted.
            Outdated: it is not as it was in `before`.
            TransientError: the table is too busy; nothing was written.
        """
        writes: list[TransactWriteItemTypeDef] = [self._saving(template, before), self._audit.recording(entry)]
        if before is None:
            writes.append(counting_account(self._table, template.project_id))
        else:
            writes += self._keeping(before)
        failed = self._transactions.write(writes)
        if failed:
            raise Outdated("the template was changed meanwhile") if 0 in failed else NotThere("the project was deleted")

    def delete(self, template: CustomTemplate, entry: AuditEntry) -> None:
        """Delete the template as it was read, and keep it as a version that stood.

        Raises:
            Outdated: it was changed or deleted since it was read.
            TransientError: the table is too busy; nothing was deleted.
        """
        deleting: TransactWriteItemTypeDef = {
            "Delete": {
                "TableName": self._table,
                "Key": items.key_of(template.project_id, template.name),
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(template.version)}},
            }
        }
        if self._transactions.write([deleting, self._audit.recording(entry), *self._keeping(template)]):
            raise Outdated("the template was changed meanwhile")

    def _read(self, key: dict[str, AttributeValueTypeDef]) -> CustomTemplate | None:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return items.read_template(answer["Item"]) if "Item" in answer else None

    def _saving(self, template: CustomTemplate, before: CustomTemplate | None) -> TransactWriteItemTypeDef:
        item = items.key_of(template.project_id, template.name) | items.write_template(template)
        if before is None:
            return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(sk)"}}
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(before.version)}},
            }
        }

    def _keeping(self, template: CustomTemplate) -> list[TransactWriteItemTypeDef]:
        """Keep this version, and forget the one that is too old by now."""
        key = items.version_key(template.project_id, template.name, template.version)
        keeping: list[TransactWriteItemTypeDef] = [
            {"Put": {"TableName": self._table, "Item": key | items.write_template(template)}}
        ]
        if template.version > KEPT_VERSIONS:
            old = items.version_key(template.project_id, template.name, template.version - KEPT_VERSIONS)
            keeping.append({"Delete": {"TableName": self._table, "Key": old}})
        return keeping
