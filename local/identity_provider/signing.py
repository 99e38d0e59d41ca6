"""The provider's signing key: its tokens are JWTs that anybody can check (RFC 7519)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "RS256"
KEY_BITS = 2048


class SigningKey:
    """A key of its own for each run: tokens of an earlier one are worth nothing."""

    def __init__(self) -> None:
        self._id = secrets.token_urlsafe(8)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a JWT."""
        return jwt.encode(dict(claims), self._key, algorithm=ALGORITHM, headers={"kid": self._id})

    def verified(self, token: str, *, issuer: str, now: float) -> dict[str, Any] | None:
        """The claims of a JWT that this key signed and that has not lapsed at `now`; None for any other."""
        options: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False}  # the clock is ours
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key.public_key(), algorithms=[ALGORITHM], issuer=issuer, options=options
            )
        except jwt.InvalidTokenError:
            return None
        return claims if claims["exp"] > now else None

    def key_set(self) -> dict[str, Any]:
        """The public half, as RFC 7517 writes it."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self._id, "use": "sig", "alg": ALGORITHM}]}
