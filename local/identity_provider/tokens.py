"""Access and identity tokens: what they say, for how long, and whether they still hold."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.identity_provider.registrations import MAIL_SCOPE, SIGN_IN_SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from local.identity_provider.grants import Grant, Grants
    from local.identity_provider.registrations import User
    from local.identity_provider.signing import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Signs tokens as `issuer`, which is also their audience. `clock` tells seconds since 1970."""

    issuer: str
    key: SigningKey
    grants: Grants
    lifetime: timedelta
    clock: Callable[[], float]

    @property
    def lifetime_seconds(self) -> int:
        """How long an access token holds."""
        return int(self.lifetime.total_seconds())

    def access_token(self, *, client_id: str, scopes: Sequence[str], grant: Grant | None = None) -> str:
        """A token for the client itself, or for the user of `grant` (RFC 9068)."""
        claims = {"client_id": client_id, "aud": self.issuer, "scope": " ".join(scopes), "sub": client_id}
        if grant:
            claims |= {"sub": grant.user.subject, "username": grant.user.username, "grant_id": grant.id}
        return self._signed(claims, seconds=self.lifetime_seconds)

    def user_token(self, user: User, *, client_id: str, scopes: Sequence[str]) -> str:
        """A token for a user who was not asked: a service account acts for them."""
        claims = {"client_id": client_id, "aud": self.issuer, "scope": " ".join(scopes)}
        return self._signed(claims | {"sub": user.subject, "username": user.username}, seconds=self.lifetime_seconds)

    def identity_token(self, grant: Grant, *, client_id: str) -> str:
        """Who signed in (OpenID Connect Core section 2)."""
        claims = {"aud": client_id, **user_claims(grant.user)}
        nonce = {"nonce": grant.nonce} if grant.nonce else {}
        return self._signed(claims | nonce, seconds=self.lifetime_seconds)

    def other_token(self, *, audience: str, lifetime: timedelta, **claims: object) -> str:
        """A token for another server than this one, with `claims` of the caller's choice."""
        return self._signed({"aud": audience, **claims}, seconds=int(lifetime.total_seconds()))

    def claims(self, access_token: str) -> dict[str, Any] | None:
        """What an access token of ours says; None when it is not ours, has lapsed, or its grant was revoked."""
        claims = self.key.verified(access_token, issuer=self.issuer, now=self.clock())
        if not claims or claims["aud"] != self.issuer or self.grants.is_revoked(claims.get("grant_id", "")):
            return None
        return claims

    def lets_send_as(self, access_token: str, username: str) -> bool:
        """Whether a mail server may take the token for this user: theirs, or the client's own (`sub` = client)."""
        claims = self.claims(access_token)
        if not claims or MAIL_SCOPE not in claims["scope"].split():
            return False
        of_this_user: bool = claims.get("username", username) == username
        return of_this_user

    def userinfo(self, access_token: str) -> dict[str, str] | None:
        """Who a token is about; None when it may not ask (OpenID Connect Core section 5.3)."""
        claims = self.claims(access_token)
        if not claims or "username" not in claims or SIGN_IN_SCOPE not in claims["scope"].split():
            return None
        return {"sub": claims["sub"], "email": claims["username"], "preferred_username": claims["username"]}

    def _signed(self, claims: dict[str, Any], *, seconds: int) -> str:
        now = int(self.clock())
        times = {"iat": now, "nbf": now, "exp": now + seconds}
        return self.key.sign({"iss": self.issuer, "jti": secrets.token_urlsafe(16), **times, **claims})


def user_claims(user: User) -> dict[str, str]:
    """What we say of a user."""
    return {"sub": user.subject, "email": user.username, "preferred_username": user.username, "name": user.name}
