"""The provider as a whole: its endpoints around one set of grants and one key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.identity_provider.authorization import Authorization
from local.identity_provider.grants import Grants
from local.identity_provider.registrations import SCOPES
from local.identity_provider.signing import ALGORITHM, SigningKey
from local.identity_provider.token_endpoint import GRANT_TYPES, TokenEndpoint
from local.identity_provider.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from local.identity_provider.registrations import Registrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """All that the web server serves."""

    issuer: str
    registrations: Registrations
    key: SigningKey
    tokens: Tokens
    authorization: Authorization
    token_endpoint: TokenEndpoint

    @property
    def authorization_url(self) -> str:
        """Where a client sends people."""
        return f"{self.issuer}/authorize"

    @property
    def token_url(self) -> str:
        """Where a client asks for tokens."""
        return f"{self.issuer}/token"

    @property
    def userinfo_url(self) -> str:
        """Where a client asks who signed in."""
        return f"{self.issuer}/userinfo"

    def metadata(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery section 3, RFC 8414)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.authorization_url,
            "token_endpoint": self.token_url,
            "userinfo_endpoint": self.userinfo_url,
            "jwks_uri": f"{self.issuer}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANT_TYPES),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }


def make_provider(
    issuer: str, registrations: Registrations, *, access_token_lifetime: timedelta, clock: Callable[[], float]
) -> Provider:
    """A provider with no grants yet. `clock` tells seconds since 1970."""
    grants, key = Grants(), SigningKey()
    tokens = Tokens(issuer=issuer, key=key, grants=grants, lifetime=access_token_lifetime, clock=clock)
    endpoint = TokenEndpoint(
        registrations=registrations, grants=grants, tokens=tokens, audiences=frozenset({f"{issuer}/token"})
    )
    authorization = Authorization(issuer=issuer, registrations=registrations, grants=grants, clock=clock)
    return Provider(
        issuer=issuer,
        registrations=registrations,
        key=key,
        tokens=tokens,
        authorization=authorization,
        token_endpoint=endpoint,
    )
