"""The identity providers as data: complete, consistent, and never opened up by what an account says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tocsin.data.identity_providers import document, identity_provider_for, problems
from tocsin.model.condition import Service
from tocsin.model.grant import GrantType
from tocsin.model.identity_provider import UnusableOAuth2

from tests.identity_provider import CLIENT_SECRET, application_certificate, service_account
from tests.identity_provider.accounts import RELAYS, TENANT, account_of

_KNOWN = [name for name, preset in document().items() if not preset.is_generic]
_EACH_KNOWN = pytest.mark.parametrize("name", _KNOWN)
_ENDPOINTS: dict[str, Any] = {
    "token_url": "https://login.acme.example/token",
    "authorization_url": "https://login.acme.example/auth",
}


def test_the_providers_are_those_of_the_presets() -> None:
    assert set(document()) == set(RELAYS)


@_EACH_KNOWN
def test_every_endpoint_is_https_and_without_surprises(name: str) -> None:
    preset = document()[name]
    for url in (preset.authorization_url, preset.token_url, preset.userinfo_url):
        if url is not None:
            parts = urlsplit(url)
            assert (parts.scheme, parts.port, parts.username) == ("https", None, None)
            assert "{" not in url.replace("{tenant}", "")
            assert ("{tenant}" in url) == (preset.default_tenant is not None)


@_EACH_KNOWN
def test_every_transport_has_scopes_for_every_grant_and_lower_case_hosts(name: str) -> None:
    preset = document()[name]
    acts_itself = preset.grants & {GrantType.CLIENT_CREDENTIALS, GrantType.JWT_BEARER}
    for access in preset.transports.values():
        assert access.delegated
        assert bool(access.application) == bool(acts_itself)
        assert all(host == host.lower() and "." in host for host in access.hosts)


@_EACH_KNOWN
def test_no_scope_serves_two_transports(name: str) -> None:
    scopes = [
        scope for access in document()[name].transports.values() for scope in {*access.delegated, *access.application}
    ]

    assert len(scopes) == len(set(scopes))


@_EACH_KNOWN
def test_what_is_unverified_is_there(name: str) -> None:
    preset = document()[name]
    for path in preset.unverified:
        found: object = preset
        for part in path.split("."):
            found = found[part] if isinstance(found, dict) else getattr(found, part)


@pytest.mark.parametrize(
    ("name", "service", "lapses", "testing"),
    [
        ("microsoft365", Service.MICROSOFT_TOKEN, timedelta(days=90), None),
        ("google", Service.GOOGLE_TOKEN, timedelta(days=180), timedelta(days=7)),
        ("yandex", Service.TOKEN, None, None),
    ],
)
def test_a_grant_is_known_by_its_life(
    name: str, service: Service, lapses: timedelta | None, testing: timedelta | None
) -> None:
    provider = identity_provider_for(account_of(name))

    assert (provider.dialect.service, provider.lapses_after, provider.testing_life) == (service, lapses, testing)


@pytest.mark.parametrize(
    ("name", "settings", "names_users"),
    [
        ("microsoft365", {}, True),
        ("microsoft365_china", {}, True),
        ("google", {}, True),
        ("yandex", {}, True),
        ("fastmail", {}, False),  # it documents neither OpenID Connect nor a userinfo endpoint
        ("generic", {"scopes": ("mail",)}, False),
        ("generic", {"scopes": ("openid", "mail")}, True),
        ("generic", {"scopes": ("mail",), "userinfo_url": "https://login.acme.example/userinfo"}, True),
    ],
)
def test_a_provider_is_expected_to_name_the_user_where_it_can(
    name: str,
    settings: dict[str, Any],
    names_users: bool,  # noqa: FBT001  (a table)
) -> None:
    account = account_of(name, **(_ENDPOINTS if name == "generic" else {}), **settings)

    assert identity_provider_for(account).names_users is names_users


@pytest.mark.parametrize(
    ("name", "grant", "transport", "scopes"),
    [
        ("microsoft365", "authorization_code", "smtp", ("https://outlook.office.com/SMTP.Send",)),
        ("microsoft365", "refresh_token", "graph", ("https://graph.microsoft.com/Mail.Send",)),
        ("microsoft365", "client_credentials", "smtp", ("https://outlook.office365.com/.default",)),
        ("microsoft365", "client_credentials", "graph", ("https://graph.microsoft.com/.default",)),
        ("microsoft365_dod", "authorization_code", "graph", ("https://dod-graph.microsoft.us/Mail.Send",)),
        ("google", "jwt_bearer", "smtp", ("https://mail.google.com/",)),
        ("google", "authorization_code", "gmail", ("https://www.googleapis.com/auth/gmail.send",)),
    ],
)
def test_a_transport_and_a_grant_pick_their_scope(
    name: str, grant: str, transport: str, scopes: tuple[str, ...]
) -> None:
    assert identity_provider_for(account_of(name, grant=grant, transport=transport)).scopes == scopes


@pytest.mark.parametrize(
    ("name", "transport", "allowed", "refused"),
    [
        ("microsoft365", "smtp", "SMTP.Office365.com.", "smtp.office365.com.evil.example"),
        ("microsoft365", "graph", "graph.microsoft.com", "smtp.office365.com"),
        ("google", "smtp", "smtp.gmail.com", "gmail.googleapis.com"),
        ("generic", "smtp", "mail.acme.example", "smtp.office365.com"),
    ],
)
def test_a_token_goes_to_the_hosts_of_its_provider_only(name: str, transport: str, allowed: str, refused: str) -> None:
    account = account_of(name, transport=transport, **(_ENDPOINTS if name == "generic" else {}))

    provider = identity_provider_for(account)

    assert (provider.may_see_token(allowed), provider.may_see_token(refused)) == (True, False)


@pytest.mark.parametrize(
    ("name", "transport", "scopes"),
    [
        ("microsoft365", "smtp", ("https://Outlook.office.com:443/SMTP.Send", "offline_access", "openid")),
        ("microsoft365", "smtp", ("https://outlook.office365.com/SMTP.Send", "https://outlook.office.com/IMAP.Send")),
        ("microsoft365", "graph", ("Mail.Send", "profile")),
        ("microsoft365", "graph", ("00000003-0000-0000-c000-000000000000/Mail.Send",)),
        ("google", "smtp", ("https://mail.google.com/", "openid")),
        ("yandex", "smtp", ("mail:smtp", "mail:imap_full")),
    ],
)
def test_scopes_that_are_the_transport_s_may_be_typed(name: str, transport: str, scopes: tuple[str, ...]) -> None:
    assert identity_provider_for(account_of(name, transport=transport, scopes=scopes)).scopes == scopes


def test_an_account_says_its_own_tenant_scopes_and_mechanism() -> None:
    account = account_of("microsoft365", scopes=("https://outlook.office365.com/SMTP.Send",), mechanism="OAUTHBEARER")

    provider = identity_provider_for(account)

    assert provider.token_url == f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    assert provider.scopes == ("https://outlook.office365.com/SMTP.Send",)
    assert provider.mechanism == "OAUTHBEARER"


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("generic", {"token_url": None}, "token_url"),
        ("generic", {"authorization_url": None}, "authorization_url"),
        ("generic", {"token_url": "login.acme.example/token"}, "token_url"),
        ("generic", {"token_url": "ftp://login.acme.example/token"}, "token_url"),
        ("generic", {"token_url": "https:///token"}, "token_url"),
        ("generic", {"token_url": "https://user:pass@login.acme.example/token"}, "token_url"),
        ("generic", {"token_url": "https://login.acme.example:0/token"}, "token_url"),
        ("generic", {"token_url": "https://login.acme.example:port/token"}, "token_url"),
        ("generic", {"token_url": "https://[::1/token"}, "token_url"),
        ("generic", {"token_url": "https://login.acme.example/token#part"}, "token_url"),
        ("generic", {"token_url": "https://login.acme.example/to ken"}, "token_url"),
        ("generic", {"token_url": "https://login.acme.example/\r\nHost: evil.example"}, "token_url"),
        ("generic", {"authorization_url": "javascript:alert(1)"}, "authorization_url"),
        ("generic", {"userinfo_url": "file:///etc/passwd"}, "userinfo_url"),
        ("generic", {"extra_parameters": {"state": "mine"}}, "extra_parameters"),
        ("generic", {"extra_parameters": {"Redirect_URI": "https://evil.example"}}, "extra_parameters"),
        ("generic", {"scopes": ("two scopes",)}, "scopes"),
        ("generic", {"client_id": " "}, "client_id"),
        ("generic", {"transport": "graph"}, "transport"),
        ("generic", {"username": None}, "username"),
        ("microsoft365", {"token_url": "https://evil.example/token"}, "token_url"),
        ("microsoft365", {"authorization_url": "https://evil.example/authorize"}, "authorization_url"),
        ("google", {"userinfo_url": "https://evil.example/userinfo"}, "userinfo_url"),
        ("microsoft365", {"relay": "mail.evil.example"}, "relay.host"),
        ("microsoft365", {"transport": "gmail"}, "transport"),
        ("microsoft365", {"grant": "jwt_bearer"}, "grant"),
        ("google", {"grant": "client_credentials"}, "grant"),
        ("microsoft365", {"tenant_id": "a/../../evil"}, "tenant_id"),
        ("microsoft365", {"tenant_id": "a..b"}, "tenant_id"),
        ("microsoft365", {"tenant_id": "tenant?x"}, "tenant_id"),
        ("microsoft365", {"tenant_id": "common", "grant": "client_credentials"}, "tenant_id"),
        ("microsoft365", {"tenant_id": None, "grant": "client_credentials"}, "tenant_id"),
        ("microsoft365", {"scopes": ("https://graph.microsoft.com/Mail.Send",)}, "scopes"),
        ("microsoft365", {"transport": "graph", "scopes": ("https://OUTLOOK.office.com/SMTP.Send",)}, "scopes"),
        ("microsoft365", {"scopes": ("HTTPS://graph.microsoft.com:443/Mail.Send",)}, "scopes"),
        ("microsoft365", {"scopes": ("https://user@graph.microsoft.com./Mail.Send",)}, "scopes"),
        ("microsoft365", {"scopes": ("Mail.Send",)}, "scopes"),
        ("microsoft365", {"scopes": ("00000003-0000-0000-C000-000000000000/Mail.Send",)}, "scopes"),
        ("microsoft365", {"scopes": ("api://00000003-0000-0000-c000-000000000000/.default",)}, "scopes"),
        ("microsoft365", {"scopes": ("https://vault.azure.net/.default",)}, "scopes"),
        ("microsoft365", {"scopes": ("https://[::1/SMTP.Send",)}, "scopes"),
        ("microsoft365_china", {"scopes": ("https://outlook.office.com/SMTP.Send",)}, "scopes"),
        ("google", {"transport": "gmail", "scopes": ("https://mail.google.com/",)}, "scopes"),
        ("google", {"transport": "gmail", "scopes": ("https://mail.google.com:443/",)}, "scopes"),
        ("google", {"scopes": ("https://WWW.googleapis.com/auth/gmail.send",)}, "scopes"),
    ],
)
def test_settings_that_cannot_work_are_said_in_words(name: str, changes: dict[str, str | None], field: str) -> None:
    settings = {**(_ENDPOINTS if name == "generic" else {}), **changes}
    account = account_of(name, **settings)

    found = problems(account, {"client_secret": CLIENT_SECRET, "service_account_key": service_account()})

    assert [problem.field.removeprefix("auth.").removeprefix("oauth2.") for problem in found] == [field]
    assert all(problem.text.endswith(".") for problem in found)
    with pytest.raises(UnusableOAuth2, match=found[0].text.split(",")[0]):
        identity_provider_for(account)


_KEY = {"service_account_key": service_account()}
_CERTIFICATE = {"client_certificate": application_certificate()}


@pytest.mark.parametrize(
    ("name", "grant", "secrets", "fields"),
    [
        ("microsoft365", "authorization_code", {}, []),
        ("microsoft365", "authorization_code", {"client_secret": "s"}, []),
        ("google", "authorization_code", {}, ["client_secret"]),
        ("microsoft365", "refresh_token", {}, ["refresh_token"]),
        ("microsoft365", "refresh_token", {"refresh_token": "r"}, []),
        ("microsoft365", "client_credentials", {}, ["client_secret"]),
        ("microsoft365", "client_credentials", _CERTIFICATE, []),
        ("microsoft365", "client_credentials", {**_CERTIFICATE, "client_secret": "s"}, ["client_secret"]),
        ("microsoft365", "client_credentials", {"client_certificate": "x"}, ["client_certificate"]),
        ("google", "jwt_bearer", {}, ["service_account_key"]),
        ("google", "jwt_bearer", _KEY, []),
        ("google", "jwt_bearer", {"service_account_key": "{}"}, ["service_account_key"]),
        ("google", "jwt_bearer", {"service_account_key": application_certificate()}, ["client_id"]),
        (
            "google",
            "jwt_bearer",
            {"service_account_key": None, "password": "p", "grant_version": 1},
            ["service_account_key"],
        ),
    ],
)
def test_secrets_that_are_missing_or_unreadable_are_said_in_words(
    name: str, grant: str, secrets: dict[str, object], fields: list[str]
) -> None:
    found = problems(account_of(name, grant=grant), secrets)

    assert [problem.field for problem in found] == [f"auth.oauth2.{field}" for field in fields]


def test_a_key_and_an_address_are_enough_for_a_service_account() -> None:
    account = account_of("google", grant="jwt_bearer", client_id="robot@project.iam.example")

    assert problems(account, {"service_account_key": application_certificate().replace("\n", "\\n")}) == []


@pytest.mark.parametrize(("provider", "field"), [("sendgrid", "provider"), ("google", "auth.oauth2")])
def test_an_account_without_oauth2_has_no_identity_provider(provider: str, field: str) -> None:
    account = account_of("google")
    if provider == "google":
        account = account.model_copy(update={"auth": account.auth.model_copy(update={"type": "password"})})
    account = account.model_copy(update={"provider": provider})

    assert [problem.field for problem in problems(account, {})] == [field]
    with pytest.raises(UnusableOAuth2):
        identity_provider_for(account)
