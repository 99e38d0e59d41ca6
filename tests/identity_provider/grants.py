"""What the identity provider gave out: codes, families of refresh tokens, access tokens."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from tests.identity_provider.refusal import Refused


@dataclass(slots=True)
class Family:
    """One consent and all the tokens that came of it; a refresh token that is used twice ends it."""

    user: str
    scope: str
    refresh_token: str | None = None
    used: set[str] = field(default_factory=set)
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class _Code:
    family: Family
    redirect_uri: str
    challenge: str


class Grants:
    """All of them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._codes: dict[str, _Code] = {}
        self._families: list[Family] = []
        self._access: dict[str, Family] = {}

    def new_family(self, user: str, scope: str) -> Family:
        """A consent."""
        with self._lock:
            family = Family(user, scope, secrets.token_urlsafe(24))
            self._families.append(family)
            return family

    def new_code(self, user: str, scope: str, *, redirect_uri: str, challenge: str) -> str:
        """A code for a new consent."""
        family = self.new_family(user, scope)
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(family, redirect_uri, challenge)
        return code

    def redeem(self, code: str, *, redirect_uri: str, verifier: str) -> Family:
        """The consent behind a code, once, for whoever knows the PKCE verifier."""
        with self._lock:
            known = self._codes.pop(code, None)
        if known is None:
            raise Refused("invalid_grant", f"the code {code} is unknown or used")
        digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if digest != known.challenge or redirect_uri != known.redirect_uri:
            raise Refused("invalid_grant", f"the verifier {verifier} or the redirect URI does not match")
        return known.family

    def renew(self, refresh_token: str, *, rotate: bool) -> Family:
        """The consent behind a refresh token; a used one revokes it."""
        with self._lock:
            for family in self._families:
                if refresh_token in family.used:
                    family.revoked = True
                if family.refresh_token == refresh_token and not family.revoked:
                    if rotate:
                        family.used.add(refresh_token)
                        family.refresh_token = secrets.token_urlsafe(24)
                    return family
        raise Refused("invalid_grant", f"the refresh token {refresh_token} is unknown, used or revoked")

    def access_token(self, family: Family) -> str:
        """A new access token."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._access[token] = family
        return token

    def user_of(self, access_token: str) -> str | None:
        """Whose token it is, while its consent lasts."""
        with self._lock:
            family = self._access.get(access_token)
        return None if family is None or family.revoked else family.user
