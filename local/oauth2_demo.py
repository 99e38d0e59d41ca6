"""The redirect, to be walked by hand: a mail account to create over the API, and the commands that do it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.demo import PROJECT_ID, RELAY_TIMEOUT_SECONDS, SENDER
from local.identity_provider.running import CLIENT_ID, CLIENT_SECRET
from local.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from local.surroundings import Surroundings

HEADERS_FILE = "admin-headers"
ACCOUNT_FILE = "oauth2-mail-account.json"


def oauth2_account(surroundings: Surroundings, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
    """A mail account that sends through the inbox with a token of the identity provider, as the API takes it.

    `changes` are fields of `auth.oauth2`.
    """
    inbox = surroundings.inbox
    relay = {"host": HOST, "port": inbox.smtp_port, "security": "starttls"}
    return {
        "name": "Demo inbox by OAuth2",
        "provider": "generic",
        "transport": "smtp",
        "relay": relay | {"timeout_seconds": RELAY_TIMEOUT_SECONDS, "ca_certificate": inbox.ca_certificate},
        "auth": {"type": "oauth2", "username": inbox.username, "oauth2": _oauth2(surroundings) | changes},
        "senders": [{"name": "Acme Ops", "email": SENDER, "default": True}],
    }


def write_requests(folder: Path, surroundings: Surroundings) -> None:
    """Write what curl is to send. The files hold a token and a secret: readable by the user alone."""
    token = surroundings.identity_provider.admin_token()
    headers = f"Authorization: Bearer {token}\nContent-Type: application/json\n"
    account = json.dumps(oauth2_account(surroundings), indent=2) + "\n"
    for name, text in ((HEADERS_FILE, headers), (ACCOUNT_FILE, account)):
        path = folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def commands(folder: Path, surroundings: Surroundings) -> tuple[str, ...]:
    """The lines to type, after `write_requests`. A mail account's id is a ULID."""
    accounts = f"{surroundings.front.url}/projects/{PROJECT_ID}/mail-accounts"
    curl = f"curl -sS -H @{folder / HEADERS_FILE}"
    find_id = r"grep -o '\b[0-9A-Z]\{26\}\b' | head -n 1"
    return (
        f"id=$({curl} -d @{folder / ACCOUNT_FILE} {accounts} | {find_id})",
        f"{curl} -d '{{}}' {accounts}/$id/authorization",
    )


def _oauth2(surroundings: Surroundings) -> dict[str, Any]:
    provider = surroundings.identity_provider.provider
    return {
        "grant": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "authorization_url": provider.authorization_url,
        "token_url": provider.token_url,
        "userinfo_url": provider.userinfo_url,
        "scopes": list(surroundings.identity_provider.scopes),
        "mechanism": "XOAUTH2",
    }
