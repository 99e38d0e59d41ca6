"""The demo identity provider is a strict one: PKCE, exact redirect URIs, refresh tokens that are good once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests

from local.identity_provider.grants import s256
from local.identity_provider.registrations import MAIL_SCOPE
from local.identity_provider.running import (
    API_AUDIENCE,
    CLIENT_ID,
    CLIENT_SECRET,
    PROJECTS_CLAIM,
    SERVICE_ACCOUNT,
    USERS,
    IdentityProvider,
    running_identity_provider,
)
from local.identity_provider.token_endpoint import JWT_BEARER
from tests.local.oauth2_client import REDIRECT_URI, SECONDS, OAuth2Client, answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """Time that a test can move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> float:
        return time.time() + self.ahead.total_seconds()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[IdentityProvider, Clock]]:
    """One provider for all: making its keys takes a while."""
    clock = Clock()
    with running_identity_provider([REDIRECT_URI], clock=clock) as provider:
        yield provider, clock


@pytest.fixture
def provider(running: tuple[IdentityProvider, Clock]) -> IdentityProvider:
    return running[0]


@pytest.fixture
def client(provider: IdentityProvider) -> OAuth2Client:
    return OAuth2Client(provider=provider)


@pytest.fixture
def clock(running: tuple[IdentityProvider, Clock]) -> Iterator[Clock]:
    yield running[1]
    running[1].ahead = timedelta()


def test_whole_walk_gives_tokens_that_the_inbox_takes(client: OAuth2Client, provider: IdentityProvider) -> None:
    answer = answer_of(client.decide(client.open()))
    tokens = client.redeem(answer["code"])

    assert (answer["state"], answer["iss"]) == ("state-1", provider.issuer)
    assert tokens.headers["Cache-Control"] == "no-store"
    assert tokens.json()["token_type"] == "Bearer"
    assert tokens.json()["expires_in"] == 3600
    assert tokens.json()["scope"].split() == list(provider.scopes)
    assert provider.lets_send(tokens.json()["access_token"])


def test_identity_is_told_by_id_token_and_userinfo(client: OAuth2Client, provider: IdentityProvider) -> None:
    tokens = client.consented()

    identity = _verified(tokens["id_token"], provider, audience=CLIENT_ID)
    assert (identity["sub"], identity["email"], identity["nonce"]) == ("user-1", USERS[0].username, "nonce-1")
    userinfo = _userinfo(provider, tokens["access_token"])
    assert userinfo.json() == {
        "sub": "user-1",
        "email": USERS[0].username,
        "preferred_username": USERS[0].username,
    }
    assert _userinfo(provider, tokens["id_token"]).status_code == 401
    assert _userinfo(provider, provider.admin_token()).status_code == 401


def test_discovery_names_what_is_served(provider: IdentityProvider) -> None:
    metadata = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=SECONDS).json()

    assert metadata["issuer"] == provider.issuer
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert requests.get(metadata["jwks_uri"], timeout=SECONDS).json()["keys"][0]["alg"] == "RS256"
    assert metadata["token_endpoint"] == provider.provider.token_url


def test_admin_token_holds_the_projects(provider: IdentityProvider) -> None:
    claims = _verified(provider.admin_token(["acme:admin"]), provider, audience=API_AUDIENCE)

    assert claims[PROJECTS_CLAIM] == ["acme:admin"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"prompt": "none"}, "interaction_required"),
    ],
    ids=["no PKCE", "bad PKCE", "plain PKCE", "implicit", "unknown scope", "no scope", "nobody asked"],
)
def test_bad_request_goes_back_to_the_client(client: OAuth2Client, changes: dict[str, str | None], error: str) -> None:
    answer = answer_of(client.open(**changes))

    assert (answer["error"], answer["state"]) == (error, "state-1")


@pytest.mark.parametrize(
    "changes",
    [{"redirect_uri": REDIRECT_URI + "/"}, {"redirect_uri": None}, {"client_id": "somebody"}],
    ids=["another address", "no address", "unknown client"],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    client: OAuth2Client, changes: dict[str, str | None]
) -> None:
    answer = client.open(**changes)

    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_denial_goes_back_to_the_client(client: OAuth2Client) -> None:
    answer = answer_of(client.decide(client.open(), decision="deny"))

    assert (answer["error"], answer["state"]) == ("access_denied", "state-1")


def test_an_unticked_scope_is_not_granted(client: OAuth2Client, provider: IdentityProvider) -> None:
    code = answer_of(client.decide(client.open(), scope=None))["code"]
    tokens = client.redeem(code).json()

    assert MAIL_SCOPE not in tokens["scope"].split()
    assert not provider.lets_send(tokens["access_token"])


def test_token_of_another_user_does_not_open_the_inbox(client: OAuth2Client, provider: IdentityProvider) -> None:
    code = answer_of(client.decide(client.open(), username=USERS[1].username))["code"]

    assert not provider.lets_send(client.redeem(code).json()["access_token"])


def test_a_decision_is_taken_once(client: OAuth2Client) -> None:
    page = client.open()
    client.decide(page)

    assert client.decide(page).status_code == 400


def test_consent_page_escapes_and_runs_nothing(client: OAuth2Client) -> None:
    page = client.open(login_hint="<script>alert(1)</script>", state='"><script>')

    assert "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert policy.endswith("form-action 'self' http://localhost:8080")


def test_hint_chooses_the_user(client: OAuth2Client) -> None:
    page = client.open(login_hint=USERS[1].username)

    assert f'value="{USERS[1].username}" checked' in " ".join(page.text.split())


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": None},
        {"redirect_uri": "http://localhost:8080/other"},
        {"client_secret": "guess"},
        {"client_secret": None},
        {"code": "made-up"},
    ],
    ids=["other verifier", "no verifier", "other address", "wrong secret", "no secret", "no such code"],
)
def test_a_code_is_redeemed_by_its_owner_only(client: OAuth2Client, changes: dict[str, str | None]) -> None:
    answer = client.redeem(client.code(), **changes)

    assert answer.status_code in {400, 401}
    assert set(answer.json()) == {"error", "error_description"}


def test_a_code_used_twice_revokes_its_grant(client: OAuth2Client, provider: IdentityProvider) -> None:
    code = client.code()
    tokens = client.redeem(code).json()

    assert client.redeem(code).json()["error"] == "invalid_grant"
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not provider.lets_send(tokens["access_token"])


def test_a_code_lapses_after_a_minute(client: OAuth2Client, clock: Clock) -> None:
    code = client.code()
    clock.ahead = timedelta(seconds=61)

    assert client.redeem(code).json()["error"] == "invalid_grant"


def test_every_refresh_gives_a_new_refresh_token(client: OAuth2Client, provider: IdentityProvider) -> None:
    seen = [client.consented()]
    seen += [client.refresh(seen[-1]["refresh_token"]).json()]
    seen += [client.refresh(seen[-1]["refresh_token"]).json()]

    assert len({tokens["refresh_token"] for tokens in seen}) == 3
    assert all(provider.lets_send(tokens["access_token"]) for tokens in seen)


def test_a_refresh_token_used_twice_revokes_the_family(client: OAuth2Client, provider: IdentityProvider) -> None:
    first = client.consented()
    second = client.refresh(first["refresh_token"]).json()

    assert client.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not provider.lets_send(second["access_token"])


def test_of_two_at_once_with_one_refresh_token_one_wins(client: OAuth2Client) -> None:
    token = client.consented()["refresh_token"]

    with ThreadPoolExecutor(2) as both:
        answers = sorted(answer.status_code for answer in both.map(client.refresh, [token, token]))

    assert answers == [200, 400]


def test_without_offline_access_there_is_no_refresh_token(client: OAuth2Client) -> None:
    tokens = client.redeem(client.code(scope=f"openid {MAIL_SCOPE}")).json()

    assert "refresh_token" not in tokens


def test_an_access_token_lapses(client: OAuth2Client, provider: IdentityProvider, clock: Clock) -> None:
    token = client.consented()["access_token"]
    clock.ahead = timedelta(hours=1, seconds=1)

    assert not provider.lets_send(token)
    assert _userinfo(provider, token).status_code == 401


@pytest.mark.parametrize("way", ["basic", "post"])
def test_client_credentials_let_the_application_send(
    provider: IdentityProvider, client: OAuth2Client, way: str
) -> None:
    if way == "post":
        answer = client.token("client_credentials", scope=MAIL_SCOPE)
    else:
        form = {"grant_type": "client_credentials", "scope": MAIL_SCOPE}
        url = provider.provider.token_url
        answer = requests.post(url, data=form, auth=(CLIENT_ID, CLIENT_SECRET), timeout=SECONDS)

    assert provider.lets_send(answer.json()["access_token"])
    assert "refresh_token" not in answer.json()


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "openid"}, "invalid_scope"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
    ],
    ids=["password", "none", "signing in as nobody", "no token"],
)
def test_token_endpoint_says_what_is_wrong(provider: IdentityProvider, form: dict[str, str], error: str) -> None:
    data = form | {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    answer = requests.post(provider.provider.token_url, data=data, timeout=SECONDS)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_wrong_client_is_challenged(provider: IdentityProvider) -> None:
    form = {"grant_type": "client_credentials", "scope": MAIL_SCOPE}

    answer = requests.post(provider.provider.token_url, data=form, auth=(CLIENT_ID, "guess"), timeout=SECONDS)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_service_account_acts_for_a_user(client: OAuth2Client, provider: IdentityProvider) -> None:
    answer = client.token(JWT_BEARER, assertion=_assertion(provider))

    assert provider.lets_send(answer.json()["access_token"])


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "nobody@inbox.example"},
        {"aud": "https://elsewhere.example/token"},
        {"iss": "somebody@accounts.example"},
        {"exp": 1},
        {"exp": timedelta(seconds=4000)},
        {"iat": timedelta(seconds=300), "exp": timedelta(seconds=600)},
        {"scope": "everything"},
    ],
    ids=["no such user", "for another server", "unknown account", "lapsed", "for too long", "of tomorrow", "scope"],
)
def test_an_assertion_is_checked(client: OAuth2Client, provider: IdentityProvider, changes: dict[str, Any]) -> None:
    now = int(time.time())
    claims = {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }

    answer = client.token(JWT_BEARER, assertion=_assertion(provider, **claims))

    assert answer.status_code == 400
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("assertion", ["x.y.z", "", None], ids=["forged", "empty", "missing"])
def test_an_assertion_that_is_none_is_refused(client: OAuth2Client, assertion: str | None) -> None:
    assert client.token(JWT_BEARER, assertion=assertion).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/jwks", {"Host": "rebound.example.org"}, 403),
        ("GET", "/authorize?client_id=a&client_id=b", {}, 400),
        ("POST", "/authorize", {}, 400),
        ("POST", "/token", {"Content-Length": "9999999"}, 413),
        ("GET", "/userinfo", {}, 401),
    ],
    ids=["home", "nowhere", "a foreign name", "twice the same", "no form", "too much", "nobody"],
)
def test_anything_else_is_answered_in_order(
    provider: IdentityProvider, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = requests.request(method, provider.issuer + path, headers=headers, timeout=SECONDS)

    assert answer.status_code == status


def test_pkce_challenge_is_as_the_standard_has_it() -> None:
    """RFC 7636 appendix B."""
    assert s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def _userinfo(provider: IdentityProvider, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(provider.provider.userinfo_url, headers=headers, timeout=SECONDS)


def _assertion(provider: IdentityProvider, **changes: object) -> str:
    key_file = json.loads(provider.service_account_key)
    now = int(time.time())
    claims = {
        "iss": SERVICE_ACCOUNT,
        "sub": USERS[0].username,
        "aud": key_file["token_uri"],
        "scope": MAIL_SCOPE,
        "iat": now,
        "exp": now + 600,
    }
    return jwt.encode(claims | changes, key_file["private_key"], algorithm="RS256")


def _verified(token: str, provider: IdentityProvider, *, audience: str) -> dict[str, Any]:
    """The claims, checked with the public keys alone, as API Gateway does."""
    keys = requests.get(f"{provider.issuer}/jwks", timeout=SECONDS).json()["keys"]
    key = next(key for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"])
    claims: dict[str, Any] = jwt.decode(
        token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=audience, issuer=provider.issuer
    )
    return claims
