"""What a request says: parameters that stand there once, and a client's credentials."""

from __future__ import annotations

import binascii
from base64 import b64decode
from urllib.parse import parse_qsl, unquote_plus

from local.identity_provider.refusal import Refused

MAXIMUM_PARAMETERS = 40


def parse_parameters(text: str) -> dict[str, str]:
    """The parameters of a query or form; none may be repeated (RFC 6749 section 3.1).

    Raises:
        Refused: one is, or there are too many.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAXIMUM_PARAMETERS)
    except ValueError as error:
        raise Refused("invalid_request", "too many parameters") from error
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise Refused("invalid_request", "a parameter is repeated")
    return parameters


def client_credentials(authorization: str | None, form: dict[str, str]) -> tuple[str, str] | None:
    """Client id and secret, by HTTP Basic or in the form (RFC 6749 section 2.3.1); None when there are none.

    Raises:
        Refused: they are given in both ways, or cannot be read.
    """
    in_form = (form.get("client_id", ""), form["client_secret"]) if "client_secret" in form else None
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return in_form
    if in_form:
        raise Refused("invalid_request", "client credentials are given twice")
    try:
        user, _, password = b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused("invalid_client", "the Basic credentials cannot be read") from error
    return unquote_plus(user), unquote_plus(password)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an Authorization header (RFC 6750 section 2.1)."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
