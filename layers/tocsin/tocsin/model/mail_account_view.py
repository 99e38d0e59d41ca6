"""A mail account as an admin reads it: of its secrets only whether they are set, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

_OF_AUTH = ("password",)
_OF_OAUTH2 = ("client_secret", "client_certificate", "service_account_key", "refresh_token")
_HIDDEN = {"credential_version", "secrets_set", "grant"}
_OF_GRANT = {"scopes", "identity", "consented_at", "access_token_expires_at", "refresh_token_expires_at"}


def view(account: MailAccount) -> dict[str, Any]:
    """The account as JSON has it (DESIGN 4.2)."""
    fields = account.model_dump(mode="json", exclude=_HIDDEN)
    auth, proxy = fields["auth"], fields["relay"]["proxy"]
    fields["use_for"] = sorted(fields["use_for"])
    auth |= {name: _shown(account, name) for name in _OF_AUTH}
    if auth["oauth2"] is not None:
        auth["oauth2"] |= {name: _shown(account, name) for name in _OF_OAUTH2}
    if proxy is not None:
        proxy["password"] = _shown(account, "proxy_password")
    grant = account.grant.model_dump(mode="json", include=_OF_GRANT) if account.grant is not None else None
    return fields | {"grant": grant}


def etag(account: MailAccount) -> str:
    """The strong entity tag of the account's settings (RFC 9110 section 8.8.3)."""
    return f'"{account.version}"'


def _shown(account: MailAccount, name: str) -> dict[str, Any] | None:
    changed_at = account.secrets_set.get(name)
    return None if changed_at is None else {"set": True, "changed_at": changed_at.isoformat().replace("+00:00", "Z")}
