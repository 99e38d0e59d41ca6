"""Who signed in, as the provider says at its userinfo endpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tocsin.model.grant import Tokens
from tocsin.model.token_error import TokenEndpointFailed

from tests.identity_provider import USER, Close, Hang, IdentityProvider, Say
from tests.identity_provider.accounts import NOW, account_at, account_of, providers_at, providers_by_detour, secret_of

if TYPE_CHECKING:
    from tests.identity_provider.actions import Action


def _soon() -> float:
    return time.monotonic() + 0.5


@pytest.mark.parametrize(
    ("name", "host", "scheme"),
    [("google", "openidconnect.googleapis.com", "Bearer"), ("yandex", "login.yandex.ru", "OAuth")],
)
def test_a_provider_without_an_id_token_is_asked(name: str, host: str, scheme: str) -> None:
    with IdentityProvider(hosts=["oauth2.googleapis.com", "oauth.yandex.ru", host]) as provider:
        providers, detour = providers_by_detour(provider)
        account = account_of(name)
        tokens = providers.renew(account, secret_of(refresh_token=provider.refresh_token()), now=NOW)

        assert providers.identity(account, tokens, deadline=_soon()) == USER
        assert detour.asked[-1] == (host, 443)
        assert provider.requests("userinfo")[0].headers["authorization"] == f"{scheme} {tokens.access_token}"


@pytest.mark.parametrize(
    ("action", "identity"),
    [
        (Say(200, {"email": USER}), USER),
        (Say(200, {"preferred_username": USER}), USER),
        (Say(200, {"email": USER, "email_verified": False}), None),
        (Say(200, {"email": 7}), None),
        (Say(200, "<html>"), None),
        (Say(302, "", {"Location": "/userinfo?again"}), None),
        (Say(401, {"error": "invalid_token"}), None),
        (Say(403, {"error": "insufficient_scope"}), None),
    ],
)
def test_an_answer_names_the_user_or_nobody(action: Action, identity: str | None) -> None:
    with IdentityProvider(script={"userinfo": action}) as provider:
        tokens = Tokens(access_token="token-1", expires_at=NOW)

        assert providers_at(provider).identity(account_at(provider), tokens, deadline=_soon()) == identity
        assert len(provider.requests("userinfo")) == 1


@pytest.mark.parametrize("action", [Say(503), Say(429), Close(), Hang()], ids=["503", "429", "cut", "silence"])
def test_a_provider_that_cannot_say_now_is_asked_again_later(action: Action) -> None:
    with IdentityProvider(script={"userinfo": action}) as provider:
        tokens = Tokens(access_token="token-1", expires_at=NOW)

        with pytest.raises(TokenEndpointFailed):
            providers_at(provider).identity(account_at(provider), tokens, deadline=_soon())


def test_what_the_id_token_said_is_not_asked_again() -> None:
    with IdentityProvider() as provider:
        tokens = Tokens(access_token="token-1", expires_at=NOW, identity=USER)

        assert providers_at(provider).identity(account_at(provider), tokens, deadline=_soon()) == USER
        assert provider.requests("userinfo") == []


def test_a_provider_that_never_says_is_not_asked() -> None:
    with IdentityProvider() as provider:
        tokens = Tokens(access_token="token-1", expires_at=NOW)

        assert providers_at(provider).identity(account_of("fastmail"), tokens, deadline=_soon()) is None
