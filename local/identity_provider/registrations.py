"""Whom the provider knows: one client, two users, one service account, and the scopes it grants."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MAIL_SCOPE = "https://mail.example/"
OFFLINE_SCOPE = "offline_access"
SIGN_IN_SCOPE = "openid"
SCOPES = {
    SIGN_IN_SCOPE: "Know that it is you",
    "email": "See your address",
    "profile": "See your name",
    OFFLINE_SCOPE: "Stay connected when you are away",
    MAIL_SCOPE: "Send mail as you",
}
"""Every scope, and what the consent page says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application that may ask for tokens. It is sent back to one of `redirect_uris`, compared octet by octet."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: frozenset[str]

    def is_proven_by(self, client_id: str, secret: str) -> bool:
        """Whether both are right, compared in constant time."""
        right = hmac.compare_digest(client_id.encode(), self.id.encode())
        return hmac.compare_digest(secret.encode(), self.secret.encode()) and right


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person. `subject` is what a token calls them, and never changes; `username` is their address."""

    subject: str
    username: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """A program that may act for any user, proven by its key (RFC 7523)."""

    email: str
    public_key: RSAPublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrations:
    """All of them."""

    client: Client
    users: tuple[User, ...]
    service_account: ServiceAccount

    def user(self, username: str) -> User | None:
        """The user with this address."""
        return next((user for user in self.users if user.username == username), None)
