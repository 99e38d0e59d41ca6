"""Grants: what a person consented to, the code that stands for it, and the refresh tokens that keep it alive."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.identity_provider.refusal import Refused

if TYPE_CHECKING:
    from local.identity_provider.registrations import User

CODE_LIFETIME_SECONDS = 60
TOKEN_OCTETS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One consent. Its refresh tokens form a family that is revoked as a whole."""

    user: User
    scopes: tuple[str, ...]
    nonce: str | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    grant: Grant
    redirect_uri: str
    code_challenge: str
    expires_at: float


class Grants:
    """All grants. Only hashes of codes and refresh tokens are kept. Safe to use from several threads."""

    def __init__(self) -> None:
        self._codes: dict[bytes, _Code] = {}
        self._used_codes: dict[bytes, str] = {}
        self._refresh_tokens: dict[bytes, Grant] = {}
        self._used_refresh_tokens: dict[bytes, str] = {}
        self._revoked: set[str] = set()
        self._lock = threading.Lock()

    def issue_code(self, grant: Grant, *, redirect_uri: str, code_challenge: str, now: float) -> str:
        """A code that stands for `grant`, for a minute."""
        code = secrets.token_urlsafe(TOKEN_OCTETS)
        with self._lock:
            self._codes[_digest(code)] = _Code(
                grant=grant,
                redirect_uri=redirect_uri,
                code_challenge=code_challenge,
                expires_at=now + CODE_LIFETIME_SECONDS,
            )
        return code

    def redeem_code(self, code: str, *, redirect_uri: str, code_verifier: str, now: float) -> Grant:
        """The grant behind `code`, once. Whoever brings it a second time ends the grant (RFC 6749 section 4.1.2).

        Raises:
            Refused: the code is unknown, used or lapsed, or its redirect URI or PKCE verifier is another.
        """
        digest = _digest(code)
        with self._lock:
            if grant_id := self._used_codes.get(digest):
                self._revoked.add(grant_id)
                raise Refused("invalid_grant", "the code was used before")
            if not (known := self._codes.pop(digest, None)):
                raise Refused("invalid_grant", "there is no such code")
            self._used_codes[digest] = known.grant.id
        _check_code(known, redirect_uri=redirect_uri, code_verifier=code_verifier, now=now)
        return known.grant

    def first_refresh_token(self, grant: Grant) -> str:
        """The token that starts the family."""
        with self._lock:
            return self._issue_refresh_token(grant)

    def rotate(self, refresh_token: str) -> tuple[Grant, str]:
        """The grant behind the token, and the next token: this one is used up (RFC 9700 section 4.14.2).

        Raises:
            Refused: the token is unknown or its grant revoked; one that was used before revokes the grant.
        """
        digest = _digest(refresh_token)
        with self._lock:
            if grant_id := self._used_refresh_tokens.get(digest):
                self._revoked.add(grant_id)
                raise Refused("invalid_grant", "the refresh token was used before: its grant is revoked")
            grant = self._refresh_tokens.get(digest)
            if not grant or grant.id in self._revoked:
                raise Refused("invalid_grant", "there is no such refresh token, or its grant is revoked")
            del self._refresh_tokens[digest]
            self._used_refresh_tokens[digest] = grant.id
            return grant, self._issue_refresh_token(grant)

    @property
    def rotations(self) -> int:
        """How many refresh tokens were used up so far."""
        with self._lock:
            return len(self._used_refresh_tokens)

    def is_revoked(self, grant_id: str) -> bool:
        """Whether the grant has ended."""
        with self._lock:
            return grant_id in self._revoked

    def _issue_refresh_token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(TOKEN_OCTETS)
        self._refresh_tokens[_digest(token)] = grant
        return token


def s256(code_verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(_digest(code_verifier)).rstrip(b"=").decode("ascii")


def _check_code(code: _Code, *, redirect_uri: str, code_verifier: str, now: float) -> None:
    if code.expires_at <= now:
        raise Refused("invalid_grant", "the code has lapsed")
    if code.redirect_uri != redirect_uri:
        raise Refused("invalid_grant", "the redirect URI is not the one of the authorization request")
    if not hmac.compare_digest(s256(code_verifier), code.code_challenge):
        raise Refused("invalid_grant", "the PKCE verifier is not the one of the authorization request")


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
