"""Whoever comes with another token than an access token of the stack's issuer is answered 401, alike in every case."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from local.identity_provider.running import API_AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.identity_provider.running import IdentityProvider
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

SECONDS = 60
FAR = 3600
type Claims = dict[str, Any]


def _signed(issuer: IdentityProvider, **changes: object) -> str:
    """A token as admins have it, but for the changes; None takes a claim away."""
    return issuer.provider.tokens.key.sign(_claims(issuer, **changes))


def _claims(issuer: IdentityProvider, **changes: object) -> Claims:
    claims = jwt.decode(issuer.admin_token(), options={"verify_signature": False})
    return {name: value for name, value in (claims | changes).items() if value is not None}


def _key_id(issuer: IdentityProvider) -> dict[str, str]:
    return {"kid": jwt.get_unverified_header(issuer.admin_token())["kid"]}


def _by_another_key(issuer: IdentityProvider) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(_claims(issuer), key, algorithm="RS256", headers=_key_id(issuer))


def _by_no_key(issuer: IdentityProvider) -> str:
    return jwt.encode(_claims(issuer), "", algorithm="none", headers=_key_id(issuer))


def _by_the_public_key(issuer: IdentityProvider) -> str:
    """Signed as with a shared secret, by what everybody may fetch (RFC 8725 section 2.1)."""
    [public] = requests.get(f"{issuer.issuer}/jwks", timeout=SECONDS).json()["keys"]
    key: Any = RSAAlgorithm.from_jwk(public)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", **_key_id(issuer)}
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in (header, _claims(issuer)))
    return (signed + b"." + _base64url(hmac.digest(pem, signed, "sha256"))).decode()


def _base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


REFUSED: dict[str, Callable[[IdentityProvider], str]] = {
    "expired": lambda issuer: _signed(issuer, exp=int(time.time()) - 1),
    "without an end": lambda issuer: _signed(issuer, exp=None),
    "not valid yet": lambda issuer: _signed(issuer, nbf=int(time.time()) + FAR),
    "of a foreign issuer": lambda issuer: _signed(issuer, iss="https://foreign.example"),
    "for a foreign audience": lambda issuer: _signed(issuer, aud="foreign"),
    "of a foreign client": lambda issuer: _signed(issuer, aud=None, client_id="foreign"),
    "for nobody": lambda issuer: _signed(issuer, aud=None, client_id=None),
    "of an identity": lambda issuer: _signed(issuer, token_use="id"),
    "by another key": _by_another_key,
    "by no key": _by_no_key,
    "by the public key": _by_the_public_key,
    "no token": lambda _: "garbage",
    "three times nothing": lambda _: "..",
    "nothing": lambda _: "",
}


def _ask(local: Local, token: str | None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return requests.get(f"{local.surroundings.front.url}/projects", headers=headers, timeout=SECONDS)


@pytest.mark.parametrize("kind", REFUSED)
def test_any_other_token_is_refused_as_if_there_were_none(local: Local, kind: str) -> None:
    none = _ask(local, None)

    refused = _ask(local, REFUSED[kind](local.surroundings.identity_provider))

    assert (refused.status_code, refused.text) == (none.status_code, none.text) == (401, '{"message": "Unauthorized"}')
    assert refused.headers["Content-Type"] == none.headers["Content-Type"]


@pytest.mark.parametrize("changes", [{}, {"aud": None, "client_id": API_AUDIENCE}, {"token_use": "access"}])
def test_an_access_token_lets_in(local: Local, changes: Claims) -> None:
    token = _signed(local.surroundings.identity_provider, **changes)

    assert _ask(local, token).status_code == 200
