"""Slugs in SettingsTable: an item for each that is taken, so that no two accounts of a project share one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.model.mail_account import MailAccount


def is_of_another(client: DynamoDBClient, table: str, account: MailAccount) -> bool:
    """Whether another account of the project has the slug of this one."""
    key = _key(account.project_id, account.slug or "")
    item = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return item is not None and item["account"]["S"] != account.id


def moving_slug(table: str, before: MailAccount | None, after: MailAccount | None) -> list[TransactWriteItemTypeDef]:
    """The parts of a transaction that take the slug of an account, and let the one go that it had."""
    old, new = before.slug if before else None, after.slug if after else None
    if old == new:
        return []
    writes: list[TransactWriteItemTypeDef] = []
    if before is not None and old is not None:
        writes.append({"Delete": {"TableName": table, "Key": _key(before.project_id, old)}})
    if after is not None and new is not None:
        writes.append(
            {
                "Put": {
                    "TableName": table,
                    "Item": _key(after.project_id, new) | {"account": {"S": after.id}},
                    "ConditionExpression": "attribute_not_exists(sk) OR account = :account",
                    "ExpressionAttributeValues": {":account": {"S": after.id}},
                }
            }
        )
    return writes


def _key(project_id: str, slug: str) -> dict[str, AttributeValueTypeDef]:
    return {"project_id": {"S": project_id}, "sk": {"S": f"slug#{slug}"}}
