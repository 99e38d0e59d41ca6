"""Projects of the tests, written straight into the stores: with settings that the API would not allow, or sooner."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.ports import HOST
from local.stack import STAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.local.conftest import Local


def save_project(
    local: Local, project_id: str, account_id: str, *, project: Mapping[str, Any], limits: Mapping[str, int]
) -> None:
    """A project with one mail account, which logs in to the inbox by password."""
    inbox = local.inbox
    relay = {"host": HOST, "port": inbox.smtp_port, "security": "starttls"}
    account = {
        "name": "Inbox",
        "relay": relay | {"timeout_seconds": 20, "ca_certificate": inbox.ca_certificate},
        "auth": {"type": "password", "username": inbox.username},
        "senders": [{"name": "Acme", "email": "news@acme.example"}],
        "limits": dict(limits),
    }
    secret = {"saved_for": relay | {"username": inbox.username}, "password": inbox.password}
    stored = local.stack.client("secretsmanager").create_secret(
        Name=f"tocsin/{STAGE}/{project_id}/{account_id}",
        SecretString=json.dumps(secret),
        KmsKeyId=local.stack.resources["Key"],
    )
    table = local.stack.table("SettingsTable")
    key = {"project_id": project_id, "version": 1}
    table.put_item(Item=key | {"sk": "project", "document": json.dumps({"name": project_id, **project})})
    table.put_item(
        Item=key
        | {
            "sk": f"mail-account#{account_id}",
            "document": json.dumps(account),
            "credential_version": stored["VersionId"],
        }
    )
