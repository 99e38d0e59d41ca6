"""The demo project: its settings and its secret, as DESIGN section 5 lays them out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.ports import HOST
from local.stack import STAGE

if TYPE_CHECKING:
    from local.inbox.running import Inbox
    from local.stack import Stack

PROJECT_ID = "acme"
MAIL_ACCOUNT_ID = "01JD7W5K2M4P6R8T0V2X4Z6B8D"
SENDER = "ops@acme.example"
ROUTES = ("incident", "alert", "status_page", "system")
RELAY_TIMEOUT_SECONDS = 5


def create_demo_project(stack: Stack, inbox: Inbox) -> None:
    """Let the project `acme` send through the inbox, by password."""
    version = _put_secret(stack, inbox)
    table = stack.table("SettingsTable")
    table.put_item(Item=_item("project", _project()))
    table.put_item(Item={"project_id": "_projects", "sk": PROJECT_ID})  # the list of all projects
    account = _item(f"mail-account#{MAIL_ACCOUNT_ID}", _mail_account(inbox))
    table.put_item(Item=account | {"credential_version": version})


def _item(sk: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"project_id": PROJECT_ID, "sk": sk, "version": 1, "document": json.dumps(document)}


def _project() -> dict[str, Any]:
    return {
        "name": "Acme",
        "routes": {route: [MAIL_ACCOUNT_ID] for route in ROUTES},
        "default_mail_account_id": MAIL_ACCOUNT_ID,
        "storm_control": {"enabled": False},  # the samples all go to a few people, who shall see every one
    }


def _mail_account(inbox: Inbox) -> dict[str, Any]:
    return {
        "name": "Demo inbox",
        "relay": _relay(inbox) | {"timeout_seconds": RELAY_TIMEOUT_SECONDS, "ca_certificate": inbox.ca_certificate},
        "auth": {"type": "password", "username": inbox.username},
        "senders": [{"name": "Acme Ops", "email": SENDER, "default": True}],
        "limits": {"connections": 10},
    }


def _relay(inbox: Inbox) -> dict[str, Any]:
    return {"host": HOST, "port": inbox.smtp_port, "security": "starttls"}


def _put_secret(stack: Stack, inbox: Inbox) -> str:
    """Store the password; return the version's id. A secret is bound to the relay and user it was saved for."""
    secrets = stack.client("secretsmanager")
    name = f"tocsin/{STAGE}/{PROJECT_ID}/{MAIL_ACCOUNT_ID}"
    value = json.dumps({"saved_for": _relay(inbox) | {"username": inbox.username}, "password": inbox.password})
    answer = secrets.create_secret(Name=name, SecretString=value, KmsKeyId=stack.resources["Key"])
    version: str = answer["VersionId"]
    return version
