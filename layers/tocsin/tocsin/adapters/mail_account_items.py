"""How a mail account's item looks in SettingsTable: what the admin wrote, what we found out, and when it is due."""

from __future__ import annotations

import json
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tocsin.model.mail_account import MailAccount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

PREFIX = "mail-account#"
DUE_SHARDS = 16
_FOUND_OUT = frozenset({"status", "grant", "verified_at", "last_error"})
_ATTRIBUTES = frozenset({"project_id", "id", "version", "credential_version"})


def key_of(project_id: str, account_id: str) -> dict[str, AttributeValueTypeDef]:
    """The primary key of a mail account's item."""
    return {"project_id": {"S": project_id}, "sk": {"S": f"{PREFIX}{account_id}"}}


def read_account(item: Item) -> MailAccount:
    """The mail account that an item holds."""
    fields: dict[str, Any] = json.loads(item["document"]["S"])
    if "state" in item:
        fields |= json.loads(item["state"]["S"])
    fields |= {
        "project_id": item["project_id"]["S"],
        "id": item["sk"]["S"].removeprefix(PREFIX),
        "version": int(item["version"]["N"]),
    }
    if "credential_version" in item:
        fields["credential_version"] = item["credential_version"]["S"]
    return MailAccount.model_validate(fields)


def write_document(account: MailAccount) -> AttributeValueTypeDef:
    """What the admin wrote."""
    return {"S": account.model_dump_json(exclude=set(_FOUND_OUT | _ATTRIBUTES))}


def write_state(account: MailAccount) -> AttributeValueTypeDef:
    """What we found out."""
    return {"S": account.model_dump_json(include=set(_FOUND_OUT), exclude_none=True)}


def write_due(account: MailAccount, refresh_at: datetime) -> dict[str, AttributeValueTypeDef]:
    """The keys of the index of grants that are due, in whole seconds: never before the grant itself says so."""
    shard = zlib.crc32(f"{account.project_id}#{account.id}".encode()) % DUE_SHARDS
    second = refresh_at + timedelta(microseconds=-refresh_at.microsecond % 1_000_000)
    return {"due_shard": {"N": str(shard)}, "refresh_at": {"S": second.strftime("%Y-%m-%dT%H:%M:%SZ")}}
