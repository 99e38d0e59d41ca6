"""How the identity provider knows a client: a secret in the form or as HTTP Basic, or an assertion."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import jwt
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from tests.identity_provider.keys import (
    SERVICE_ACCOUNT,
    application_certificate,
    application_key,
    service_account_private_key,
)
from tests.identity_provider.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def proof(form: Mapping[str, str], authorization: str | None) -> tuple[str, str]:
    """How the client proves itself (`basic`, `post`, `assertion` or `none`), and its id."""
    if authorization is not None:
        return "basic", unquote_plus(_basic(authorization)[0])
    if "client_assertion" in form:
        return "assertion", form.get("client_id", "")
    return "post" if "client_secret" in form else "none", form.get("client_id", "")


def check_secret(form: Mapping[str, str], authorization: str | None, secret: str) -> None:
    """Refuse a wrong secret."""
    given = unquote_plus(_basic(authorization)[1]) if authorization else form.get("client_secret")
    if given != secret:
        raise Refused("invalid_client", f"the secret {given} is wrong", status=401)


def check_assertion(form: Mapping[str, str], audience: str) -> None:
    """Refuse a client assertion that is not signed PS256 by the registered certificate, for this very URL."""
    assertion = form["client_assertion"]
    header = jwt.get_unverified_header(assertion)
    thumbprint = header.get("x5t#S256", "").rstrip("=")  # msal writes the padding
    if form.get("client_assertion_type") != _JWT or header["alg"] != "PS256" or thumbprint != _thumbprint():
        raise Refused("invalid_client", "wrong type, algorithm or thumbprint", status=401)
    claims = _verified(assertion, application_key().public_key(), "PS256", audience)
    if claims["iss"] != form["client_id"] or claims["sub"] != form["client_id"] or not claims.get("jti"):
        raise Refused("invalid_client", "the assertion is of another client", status=401)


def service_account_claims(assertion: str, audience: str) -> Mapping[str, Any]:
    """The claims of a service account's assertion; it lasts for an hour at most."""
    claims = _verified(assertion, service_account_private_key().public_key(), "RS256", audience)
    if claims["iss"] != SERVICE_ACCOUNT or claims["exp"] - claims["iat"] > 3600:
        raise Refused("invalid_grant", "wrong issuer, or too long a life")
    return claims


def _basic(authorization: str) -> tuple[str, str]:
    client_id, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return client_id, secret


def _thumbprint() -> str:
    certificate = load_pem_x509_certificate(application_certificate().encode())
    digest = sha256(certificate.public_bytes(Encoding.DER)).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _verified(assertion: str, key: Any, algorithm: str, audience: str) -> dict[str, Any]:  # noqa: ANN401  any public key
    options: Any = {"require": ["exp", "iat", "aud", "iss", "sub"]}
    try:
        claims: dict[str, Any] = jwt.decode(
            assertion, key, algorithms=[algorithm], audience=audience, options=options, leeway=60
        )
    except jwt.InvalidTokenError as error:
        raise Refused("invalid_grant", str(error)) from error
    return claims
