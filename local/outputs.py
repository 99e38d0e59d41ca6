"""`local/.state/outputs.json`: how a script reaches what runs here (DESIGN 4.5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.identity_provider.running import CLIENT_ID, CLIENT_SECRET, USERS
from local.ports import HOST
from local.stack import ACCOUNT_ID, REGION

if TYPE_CHECKING:
    from pathlib import Path

    from local.identity_provider.running import IdentityProvider
    from local.inbox.running import Inbox
    from local.stack import Stack
    from local.surroundings import Surroundings


def write_outputs(path: Path, *, stack: Stack, surroundings: Surroundings) -> None:
    """Write the file anew. It holds passwords and a token: readable by the user alone."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(_outputs(stack, surroundings), indent=2) + "\n", encoding="utf-8")


def _outputs(stack: Stack, surroundings: Surroundings) -> dict[str, Any]:
    return {
        "endpoint_url": stack.endpoint_url,
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "stack": stack.outputs,
        "admin_token": surroundings.identity_provider.admin_token(),
        "inbox": _inbox(surroundings.inbox),
        "identity_provider": _identity_provider(surroundings.identity_provider),
    }


def _inbox(inbox: Inbox) -> dict[str, Any]:
    return {
        "smtp_host": HOST,
        "smtp_port": inbox.smtp_port,
        "username": inbox.username,
        "password": inbox.password,
        "ca_certificate": inbox.ca_certificate,
        "url": inbox.url,
    }


def _identity_provider(identity_provider: IdentityProvider) -> dict[str, Any]:
    provider = identity_provider.provider
    return {
        "issuer": identity_provider.issuer,
        "authorization_url": provider.authorization_url,
        "token_url": provider.token_url,
        "userinfo_url": provider.userinfo_url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scopes": list(identity_provider.scopes),
        "username": USERS[0].username,
        "service_account_key": identity_provider.service_account_key,
    }
