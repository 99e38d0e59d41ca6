"""A mail account with a grant, and a relay that takes the tokens its identity provider stands by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, USER, IdentityProvider
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Acme

LAPSED = timedelta(minutes=-1)
LASTING = timedelta(minutes=55)


class GoodToken:
    """Equal to every access token that its identity provider stands by."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    def __eq__(self, token: object) -> bool:
        """Ask the provider."""
        return self._provider.grants.user_of(str(token)) == USER

    __hash__ = None  # type: ignore[assignment]  # it is only compared


class _Tokens(Mapping[str, Any]):
    """The tokens that a relay accepts, when it asks its identity provider."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._token = GoodToken(provider)

    def __getitem__(self, username: str) -> GoodToken:
        if username != USER:
            raise KeyError(username)
        return self._token

    def __iter__(self) -> Iterator[str]:
        return iter([USER])

    def __len__(self) -> int:
        return 1


def relay_of(provider: IdentityProvider, **script: Any) -> Relay:  # noqa: ANN401  (actions of the relay)
    """A relay that asks this provider about the tokens it is shown."""
    return Relay(security="starttls", mechanisms=("XOAUTH2",), tokens=_Tokens(provider), script=script)


def save_grant(
    acme: Acme,
    relay: Relay,
    provider: IdentityProvider,
    *,
    ends_in: timedelta,
    token: str = "",
    forced_at: str | None = None,
) -> None:
    """Save an account whose access token is `token`, or one that nobody issued, and ends so far from now."""
    now = datetime.now(UTC)
    acme.changes = {
        "auth": {
            "type": "oauth2",
            "username": USER,
            "oauth2": {
                "grant": "refresh_token",
                "client_id": CLIENT_ID,
                "token_url": provider.token_url,
                "authorization_url": provider.authorization_url,
                "scopes": ["mail"],
            },
        }
    }
    acme.secret = {
        "access_token": token or "stale",
        "access_token_expires_at": (now + ends_in).isoformat(),
        "refresh_token": provider.refresh_token("mail"),
        "client_secret": CLIENT_SECRET,
        "grant_version": 1,
    }
    acme.found_out = {
        "status": "verified",
        "grant": {
            "version": 1,
            "renewed_at": (now + ends_in - timedelta(hours=1)).isoformat(),
            "access_token_expires_at": (now + ends_in).isoformat(),
            "forced_at": forced_at,
        },
    }
    acme.save(relay)


def token_of(provider: IdentityProvider) -> str:
    """An access token that this provider stands by."""
    return provider.grants.access_token(provider.grants.new_family(USER, "mail"))
