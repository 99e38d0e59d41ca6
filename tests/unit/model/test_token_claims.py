"""What is shown of an access token: a few claims where it is a JWT, and nothing that could be used."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.token_claims import token_claims


def _token(claims: object) -> str:
    payload = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        (
            {"aud": "https://outlook.office.com", "scp": "SMTP.Send", "exp": 1795256400, "upn": "ana@acme.example"},
            {"audience": "https://outlook.office.com", "scope": "SMTP.Send", "expires_at": "2026-11-21T10:20:00+00:00"},
        ),
        ({"aud": ["a", 7], "roles": ["Mail.Send", None]}, {"audience": ["a"], "roles": ["Mail.Send"]}),
        ({"scope": "mail", "exp": "soon"}, {"scope": "mail"}),
        ({"exp": 1e300}, {}),
        ({"exp": True, "aud": {"a": 1}}, {}),
        ({"aud": "x" * 1000}, {"audience": "x" * 500}),
        ([1, 2], {}),
        (None, {}),
    ],
)
def test_audience_scope_roles_and_expiry_are_shown_and_nothing_else(claims: object, shown: dict[str, Any]) -> None:
    assert token_claims(_token(claims)) == shown


def test_a_signed_token_is_read_like_any_other() -> None:
    assert token_claims(jwt.encode({"aud": "mail"}, "k" * 32, algorithm="HS256")) == {"audience": "mail"}


@pytest.mark.parametrize("token", ["ya29.opaque", "", "a.b.c", "a.!!.c", "..", "EwBoA8l6BAAU"])
def test_a_token_that_is_no_jwt_shows_nothing(token: str) -> None:
    assert token_claims(token) == {}


@given(st.text() | st.text().map(lambda payload: f"a.{payload}.b"))
def test_whatever_it_is_it_can_be_looked_at(token: str) -> None:
    assert isinstance(token_claims(token), dict)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_whatever_it_claims_can_be_shown(value: object) -> None:
    json.dumps(token_claims(_token(dict.fromkeys(("aud", "scp", "scope", "roles", "exp"), value))))
