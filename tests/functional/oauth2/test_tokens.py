"""What is read in an answer that grants tokens: lives, scopes, types, and who signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.functional.oauth2.line import line_to
from tests.identity_provider import USER, IdentityProvider, Say
from tests.identity_provider.accounts import HOUR, NOW, account_of, providers_by_detour, secret_of
from tests.identity_provider.provider import id_token

_WAYS = pytest.mark.parametrize("name", ["microsoft365", "generic"])
"""By a library that would read the answer itself, and without."""


def test_the_life_of_a_test_grant_is_told() -> None:
    with line_to("google", Say(over={"refresh_token_expires_in": 604_799})) as line:
        assert line.renew().refresh_token_expires_at == NOW + timedelta(seconds=604_799)


@pytest.mark.parametrize(
    ("name", "fields", "lapses_in"),
    [
        pytest.param("generic", {}, None, id="it-lasts"),
        pytest.param("microsoft365", {}, timedelta(days=90), id="by-disuse"),
        pytest.param("google", {}, timedelta(days=180), id="by-disuse-later"),
        pytest.param(
            "generic", {"refresh_token_expires_in": 1800}, timedelta(minutes=30), id="with-its-new-refresh-token"
        ),
        pytest.param(
            "microsoft365", {"refresh_token_expires_in": 86_400}, timedelta(days=1), id="whichever-is-the-earlier"
        ),
        pytest.param(
            "google",
            {"refresh_token_expires_in": 86_400, "refresh_token": None},
            timedelta(days=180),
            id="an-end-that-no-renewal-puts-off",
        ),
    ],
)
def test_when_a_grant_lapses_that_is_not_renewed(
    name: str, fields: dict[str, object], lapses_in: timedelta | None
) -> None:
    with line_to(name, Say(over=fields)) as line:
        assert line.renew().lapses_at == (NOW + lapses_in if lapses_in is not None else None)


@_WAYS
@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (3599, timedelta(seconds=3599)),
        ("3599", timedelta(seconds=3599)),
        (3599.9, timedelta(seconds=3599.9)),
        (60, timedelta(minutes=1)),
        (None, HOUR),
        (0, HOUR),
        (-1, HOUR),
        ("soon", HOUR),
        ("", HOUR),
        (True, HOUR),
        ([3600], HOUR),
        (float("nan"), HOUR),
        (float("inf"), HOUR),
        (10**30, timedelta(days=1)),
        (31_536_000, timedelta(days=1)),
    ],
)
def test_the_life_of_an_access_token_is_read_with_care(name: str, expires_in: object, life: timedelta) -> None:
    with line_to(name, Say(over={"expires_in": expires_in})) as line:
        assert line.renew().expires_at == NOW + life


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("a b", ("a", "b")),
        (["a", "b", 7], ("a", "b")),
        ("", ()),
        (None, None),
        (7, None),
    ],
)
def test_granted_scopes_are_read_however_they_are_written(scope: object, scopes: tuple[str, ...] | None) -> None:
    with line_to("generic", Say(over={"scope": scope}), grant="authorization_code") as line:
        assert line.renew().scopes == scopes


@pytest.mark.parametrize(
    ("scope", "transport"),
    [
        ("https://outlook.office.com/SMTP.Send", "smtp"),
        ("https://outlook.office.com/smtp.send openid", "smtp"),
        ("Mail.Send openid profile", "graph"),
    ],
)
def test_a_scope_of_entra_without_its_resource_is_the_one_asked_for(scope: str, transport: str) -> None:
    with IdentityProvider(hosts=["login.microsoftonline.com"], extra={"scope": scope}) as provider:
        providers, _ = providers_by_detour(provider)
        account = account_of("microsoft365", transport=transport)

        tokens = providers.renew(account, secret_of(refresh_token=provider.refresh_token()), now=NOW)

    wanted = {"smtp": "https://outlook.office.com/smtp.send", "graph": "https://graph.microsoft.com/mail.send"}
    assert wanted[transport] in {granted.casefold() for granted in tokens.scopes or ()}


@_WAYS
@pytest.mark.parametrize("token_type", ["Bearer", "bearer", None])
def test_the_type_of_the_token_may_be_written_small_or_left_out(name: str, token_type: str | None) -> None:
    with line_to(name, Say(over={"token_type": token_type})) as line:
        assert line.renew().access_token


@_WAYS
@pytest.mark.parametrize("refresh_token", [None, "", 7])
def test_a_refresh_token_that_is_not_given_again_is_none(name: str, refresh_token: object) -> None:
    with line_to(name, Say(over={"refresh_token": refresh_token})) as line:
        assert line.renew().refresh_token is None


@_WAYS
@pytest.mark.parametrize(
    ("token", "identity"),
    [
        (id_token({"preferred_username": USER, "email": USER}), USER),
        (id_token({"preferred_username": USER, "email": USER}, audience="another client"), None),
        (id_token({"sub": "1"}), None),
        ("not.a.token", None),
        ("a.b", None),
        ("...", None),
        ("é.é.é", None),
        (7, None),
        (None, None),
    ],
)
def test_an_id_token_names_who_signed_in_or_nobody(name: str, token: object, identity: str | None) -> None:
    with line_to(name, Say(over={"id_token": token})) as line:
        assert line.renew().identity == identity


def test_an_address_that_google_did_not_verify_names_nobody() -> None:
    token = id_token({"email": USER, "email_verified": False})
    with line_to("google", Say(over={"id_token": token})) as line:
        assert line.renew().identity is None
