"""Every grant at every provider, over TLS and under the provider's own host name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from tocsin.model.grant import missing_scopes
from tocsin.model.token_error import GrantRefused

from tests.identity_provider import USER, IdentityProvider, application_certificate, service_account
from tests.identity_provider.accounts import (
    CHALLENGE,
    HOUR,
    MAIL_SCOPE,
    NOW,
    REDIRECT_URI,
    TENANT,
    TOKEN_HOSTS,
    VERIFIER,
    account_at,
    account_of,
    providers_at,
    providers_by_detour,
    secret_of,
)

if TYPE_CHECKING:
    from tocsin.adapters.identity_providers import IdentityProviders
    from tocsin.model.grant import Tokens
    from tocsin.model.mail_account import MailAccount

_KNOWN = pytest.mark.parametrize("name", TOKEN_HOSTS)


def _connect(providers: IdentityProviders, account: MailAccount, provider: IdentityProvider) -> Tokens:
    url = providers.authorization_url(
        account, redirect_uri=REDIRECT_URI, state="state-1", code_challenge=CHALLENGE, login_hint=USER
    )
    brought = provider.consent(url)
    assert brought["state"] == "state-1"
    return providers.redeem(
        account, secret_of(), code=brought["code"], code_verifier=VERIFIER, redirect_uri=REDIRECT_URI, now=NOW
    )


@_KNOWN
def test_a_person_connects_an_account_of_each_known_provider(name: str) -> None:
    with IdentityProvider(hosts=[TOKEN_HOSTS[name]]) as provider:
        providers, detour = providers_by_detour(provider)

        tokens = _connect(providers, account_of(name), provider)

        assert provider.grants.user_of(tokens.access_token) == USER
        assert tokens.expires_at == NOW + HOUR
        assert tokens.refresh_token
        assert detour.asked == [(TOKEN_HOSTS[name], 443)]
        assert provider.requests()[0].fields["client_id"] == "client-1"


@_KNOWN
def test_a_grant_of_each_known_provider_is_renewed_and_rotated(name: str) -> None:
    with IdentityProvider(hosts=[TOKEN_HOSTS[name]]) as provider:
        providers, detour = providers_by_detour(provider)
        first = provider.refresh_token()

        second = providers.renew(account_of(name), secret_of(refresh_token=first), now=NOW).refresh_token
        third = providers.renew(account_of(name), secret_of(refresh_token=second), now=NOW).refresh_token

        assert len({first, second, third}) == 3
        assert detour.asked == [(TOKEN_HOSTS[name], 443)] * 2


def test_a_reused_refresh_token_ends_the_family() -> None:
    with IdentityProvider() as provider:
        providers, account = providers_at(provider), account_at(provider)
        first = provider.refresh_token()
        second = providers.renew(account, secret_of(refresh_token=first), now=NOW).refresh_token

        for token in (first, second):
            with pytest.raises(GrantRefused):
                providers.renew(account, secret_of(refresh_token=token), now=NOW)


@pytest.mark.parametrize(
    ("transport", "scope"),
    [("smtp", "https://outlook.office.com/SMTP.Send"), ("graph", "https://graph.microsoft.com/Mail.Send")],
)
def test_a_microsoft_grant_is_renewed_for_the_resource_of_the_transport(transport: str, scope: str) -> None:
    with IdentityProvider(hosts=["login.microsoftonline.com"]) as provider:
        providers, _ = providers_by_detour(provider)
        secret = secret_of(refresh_token=provider.refresh_token())

        providers.renew(account_of("microsoft365", transport=transport), secret, now=NOW)

        request = provider.requests()[0]
        assert set(request.fields["scope"].split()) == {scope, "openid", "profile", "offline_access"}
        assert request.path == f"/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("name", "transport", "scope"),
    [
        ("microsoft365", "smtp", "https://outlook.office365.com/.default"),
        ("microsoft365", "graph", "https://graph.microsoft.com/.default"),
        ("microsoft365_gcc_high", "smtp", "https://outlook.office365.us/.default"),
        ("microsoft365_china", "smtp", "https://partner.outlook.cn/.default"),
    ],
)
@pytest.mark.parametrize("proof", ["post", "assertion"])
def test_an_application_of_microsoft_signs_in_by_secret_or_certificate(
    name: str, transport: str, scope: str, proof: str
) -> None:
    secret = (
        secret_of() if proof == "post" else secret_of(client_secret=None, client_certificate=application_certificate())
    )
    with IdentityProvider(hosts=[TOKEN_HOSTS[name]], extra={"scope": None}) as provider:
        providers, _ = providers_by_detour(provider)
        account = account_of(name, grant="client_credentials", transport=transport)

        tokens = providers.renew(account, secret, now=NOW)

        assert (provider.requests()[0].proof, provider.requests()[0].fields["scope"]) == (proof, scope)
        assert (tokens.refresh_token, tokens.scopes) == (None, None)


@pytest.mark.parametrize("proof", ["post", "basic", "assertion"])
def test_an_application_proves_itself_to_a_generic_provider_as_it_is_set(proof: str) -> None:
    secret = (
        secret_of()
        if proof != "assertion"
        else secret_of(client_secret=None, client_certificate=application_certificate().replace("\n", "\\n"))
    )
    with IdentityProvider() as provider:
        account = account_at(
            provider,
            grant="client_credentials",
            client_authentication="basic" if proof == "basic" else "post",
            extra_parameters={"audience": "mail"},
        )

        tokens = providers_at(provider).renew(account, secret, now=datetime.now(UTC))

        request = provider.requests()[0]
        assert (request.proof, request.fields["scope"], request.fields["audience"]) == (proof, MAIL_SCOPE, "mail")
        assert missing_scopes([MAIL_SCOPE], tokens.scopes) == ()


def test_a_public_client_sends_its_id_only() -> None:
    with IdentityProvider(client_secret=None, hosts=["api.fastmail.com", "login.microsoftonline.com"]) as provider:
        providers, _ = providers_by_detour(provider)
        for name in ("fastmail", "microsoft365"):
            secret = secret_of(client_secret=None, refresh_token=provider.refresh_token())

            providers.renew(account_of(name), secret, now=NOW)

        assert [request.proof for request in provider.requests()] == ["none", "none"]


@pytest.mark.parametrize(
    ("transport", "scope"),
    [("smtp", "https://mail.google.com/"), ("gmail", "https://www.googleapis.com/auth/gmail.send")],
)
def test_a_service_account_acts_for_the_mailbox(transport: str, scope: str) -> None:
    with IdentityProvider(hosts=["oauth2.googleapis.com"]) as provider:
        providers, detour = providers_by_detour(provider)
        account = account_of("google", grant="jwt_bearer", transport=transport)

        tokens = providers.renew(
            account, secret_of(client_secret=None, service_account_key=service_account()), now=datetime.now(UTC)
        )

        assert provider.grants.user_of(tokens.access_token) == USER
        assert tokens.scopes == (scope,)
        assert detour.asked == [("oauth2.googleapis.com", 443)]  # and not the token_uri of the key file


def test_an_assertion_for_another_provider_is_of_no_use_at_google() -> None:
    with IdentityProvider() as provider:
        account = account_at(provider, grant="jwt_bearer")

        tokens = providers_at(provider).renew(
            account, secret_of(client_secret=None, service_account_key=service_account()), now=datetime.now(UTC)
        )

        assert tokens.scopes == (MAIL_SCOPE,)  # the provider checks that the audience is its own URL


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "microsoft365",
            {
                "scope": "openid profile offline_access https://outlook.office.com/SMTP.Send",
                "response_mode": "query",
                "prompt": "select_account",
            },
        ),
        (
            "google",
            {"scope": "openid email https://mail.google.com/", "access_type": "offline", "prompt": "consent"},
        ),
        ("yandex", {"scope": "login:email mail:smtp"}),
        ("fastmail", {"scope": "https://www.fastmail.com/dev/protocol-smtp"}),
    ],
)
def test_the_authorization_url_asks_for_what_the_provider_needs(name: str, expected: dict[str, str]) -> None:
    with IdentityProvider() as provider:
        url = providers_at(provider).authorization_url(
            account_of(name), redirect_uri=REDIRECT_URI, state="state-1", code_challenge=CHALLENGE
        )

    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}
    assert query == {
        "client_id": "client-1",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "state": "state-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **expected,
    }


def test_extra_parameters_and_an_own_query_stay_in_a_generic_authorization_url() -> None:
    account = account_of(
        token_url="https://login.acme.example/token",
        authorization_url="https://login.acme.example/authorize?realm=mail",
        extra_parameters={"prompt": "login"},
    )
    with IdentityProvider() as provider:
        url = providers_at(provider).authorization_url(
            account, redirect_uri=REDIRECT_URI, state="s", code_challenge=CHALLENGE, login_hint=USER
        )

    query = parse_qs(urlsplit(url).query)
    assert (query["realm"], query["prompt"], query["login_hint"]) == (["mail"], ["login"], [USER])


def test_a_code_is_good_once_and_with_its_verifier() -> None:
    with IdentityProvider() as provider:
        providers, account = providers_at(provider), account_at(provider)
        url = providers.authorization_url(account, redirect_uri=REDIRECT_URI, state="s", code_challenge=CHALLENGE)
        code = provider.consent(url)["code"]

        for verifier in ("w" * 64, VERIFIER):  # the first try burns the code
            with pytest.raises(GrantRefused) as refused:
                providers.redeem(
                    account, secret_of(), code=code, code_verifier=verifier, redirect_uri=REDIRECT_URI, now=NOW
                )
            assert refused.value.verdict.remedy_id == "token-grant-refused"


def test_an_unticked_scope_shows_in_the_tokens() -> None:
    with IdentityProvider(scope="openid email", hosts=["oauth2.googleapis.com"]) as provider:
        providers, _ = providers_by_detour(provider)

        tokens = _connect(providers, account_of("google"), provider)

        assert missing_scopes(["https://mail.google.com/"], tokens.scopes) == ("https://mail.google.com/",)
