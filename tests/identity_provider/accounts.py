"""Mail accounts, their secrets and the adapter, as tests of OAuth2 need them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tocsin.adapters.egress import Egress
from tocsin.adapters.identity_providers import IdentityProviders
from tocsin.data.remedies import Remedies
from tocsin.model.credential import AccountSecret
from tocsin.model.mail_account import MailAccount

from tests.identity_provider.detour import Detour
from tests.identity_provider.provider import CLIENT_ID, CLIENT_SECRET, USER

if TYPE_CHECKING:
    from tests.identity_provider.provider import IdentityProvider

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TENANT = "11111111-2222-3333-4444-555555555555"
REDIRECT_URI = "https://tocsin.example/oauth/callback"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
MAIL_SCOPE = "https://mail.example/"

RELAYS = {
    "microsoft365": "smtp.office365.com",
    "microsoft365_gcc_high": "smtp.office365.us",
    "microsoft365_dod": "outlook-dod.office365.us",
    "microsoft365_china": "smtp.partner.outlook.cn",
    "google": "smtp.gmail.com",
    "yandex": "smtp.yandex.com",
    "fastmail": "smtp.fastmail.com",
    "generic": "mail.acme.example",
}
TOKEN_HOSTS = {
    "microsoft365": "login.microsoftonline.com",
    "microsoft365_gcc_high": "login.microsoftonline.us",
    "microsoft365_dod": "login.microsoftonline.us",
    "microsoft365_china": "login.partner.microsoftonline.cn",
    "google": "oauth2.googleapis.com",
    "yandex": "oauth.yandex.ru",
    "fastmail": "api.fastmail.com",
}


def account_of(
    provider: str = "generic",
    *,
    grant: str = "authorization_code",
    transport: str = "smtp",
    relay: str | None = None,
    username: str | None = USER,
    known: dict[str, Any] | None = None,
    **oauth2: Any,  # noqa: ANN401  each setting is of its own type
) -> MailAccount:
    """An account of this provider; `oauth2` are further settings, `known` is what its grant is known by."""
    settings: dict[str, object] = {"grant": grant, "client_id": CLIENT_ID, **oauth2}
    if provider.startswith("microsoft"):
        settings.setdefault("tenant_id", TENANT)
    return MailAccount.model_validate(
        {
            "project_id": "acme",
            "id": "01JD7ZAAAAAAAAAAAAAAAAAAAA",
            "version": 1,
            "name": "Ops",
            "provider": provider,
            "transport": transport,
            "relay": {"host": relay or RELAYS[provider], "port": 587, "security": "starttls"},
            "auth": {"type": "oauth2", "username": username, "oauth2": settings},
            "senders": [{"email": USER}],
            "grant": known,
        }
    )


def account_at(provider: IdentityProvider, *, grant: str = "authorization_code", **oauth2: Any) -> MailAccount:  # noqa: ANN401  as above
    """An account of the generic provider with the endpoints of this one."""
    endpoints: dict[str, Any] = {
        "token_url": provider.token_url,
        "authorization_url": provider.authorization_url,
        "userinfo_url": provider.userinfo_url,
        "scopes": ("openid", "email", MAIL_SCOPE),
    }
    return account_of("generic", grant=grant, **{**endpoints, **oauth2})


def secret_of(**values: str | None) -> AccountSecret:
    """A secret with the client secret and these values; None leaves one out."""
    fields: dict[str, Any] = {"client_secret": CLIENT_SECRET, **values}
    binding = {"host": "mail.acme.example", "port": 587, "security": "starttls", "username": USER}
    return AccountSecret.model_validate(
        {"saved_for": binding, **{name: value for name, value in fields.items() if value is not None}}
    )


def providers_at(provider: IdentityProvider) -> IdentityProviders:
    """The adapter, allowed to reach this provider at its own address."""
    return IdentityProviders(Egress(f"127.0.0.1:{provider.port}"), Remedies(), ca_certificate=provider.ca_certificate)


def providers_by_detour(provider: IdentityProvider) -> tuple[IdentityProviders, Detour]:
    """The adapter, led to this provider whatever host it means."""
    detour = Detour(provider.port)
    return IdentityProviders(detour, Remedies(), ca_certificate=provider.ca_certificate), detour
