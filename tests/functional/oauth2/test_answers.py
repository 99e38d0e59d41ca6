"""What comes of every answer that a token endpoint may give, and of none."""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.reply import Phase
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.identity_provider import (
    CLIENT_SECRET,
    USER,
    Close,
    Drip,
    Flood,
    Hang,
    IdentityProvider,
    Say,
    application_certificate,
    service_account,
)
from tests.identity_provider.accounts import (
    HOUR,
    MAIL_SCOPE,
    NOW,
    REDIRECT_URI,
    TOKEN_HOSTS,
    VERIFIER,
    account_at,
    account_of,
    providers_at,
    providers_by_detour,
    secret_of,
)
from tests.identity_provider.provider import id_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.adapters.identity_providers import IdentityProviders
    from tocsin.model.grant import Tokens
    from tocsin.model.mail_account import MailAccount

    from tests.identity_provider.actions import Action

_HTML = "<!doctype html><title>Sign in to the network</title>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A way to a provider that answers as it is told, and an account that has a refresh token of it."""

    providers: IdentityProviders
    provider: IdentityProvider
    account: MailAccount

    def renew(self, **given: Any) -> Tokens:  # noqa: ANN401  passed on
        secret = secret_of(refresh_token=self.provider.refresh_token("openid email " + MAIL_SCOPE))
        return self.providers.renew(self.account, secret, now=NOW, **given)


@contextmanager
def _line(
    name: str, *actions: Action, known: dict[str, Any] | None = None, grant: str = "refresh_token"
) -> Iterator[_Line]:
    script = {"token": actions}
    if name == "generic":
        with IdentityProvider(script=script) as provider:
            yield _Line(providers=providers_at(provider), provider=provider, account=account_at(provider, grant=grant))
        return
    with IdentityProvider(script=script, hosts=[TOKEN_HOSTS[name]]) as provider:
        providers, _ = providers_by_detour(provider)
        yield _Line(providers=providers, provider=provider, account=account_of(name, known=known, grant=grant))


_DIALECTS = pytest.mark.parametrize("name", ["microsoft365", "google", "generic"])
_WAYS = pytest.mark.parametrize("name", ["microsoft365", "generic"])
"""By a library that would read the answer itself, and without."""


@_DIALECTS
@pytest.mark.parametrize(
    ("action", "code", "wait"),
    [
        pytest.param(Say(200, _HTML), None, None, id="captive portal"),
        pytest.param(Say(200, ""), None, None, id="empty 200"),
        pytest.param(Say(204, ""), None, None, id="204"),
        pytest.param(Say(200, "{}"), None, None, id="empty object"),
        pytest.param(Say(200, '["access_token"]'), None, None, id="list"),
        pytest.param(Say(200, "[" * 100_000), None, None, id="deep nesting"),
        pytest.param(Say(200, b"\xff\xfe{"), None, None, id="no text"),
        pytest.param(Say(200, {"access_token": "", "token_type": "Bearer"}), None, None, id="empty token"),
        pytest.param(Say(200, {"access_token": 7, "token_type": "Bearer"}), None, None, id="number for a token"),
        pytest.param(Say(200, {"access_token": "a\nb"}), None, None, id="token with a line end"),
        pytest.param(Say(200, {"access_token": "a", "token_type": "mac"}), None, None, id="other token type"),
        pytest.param(Say(302, "", {"Location": "/elsewhere"}), None, None, id="redirect"),
        pytest.param(Say(307, "", {"Location": "/elsewhere"}), None, None, id="redirect of a POST"),
        pytest.param(Say(403, _HTML), None, None, id="firewall page"),
        pytest.param(Say(404, {"message": "no route"}), None, None, id="404 of a gateway"),
        pytest.param(Say(400, {"error": None}), None, None, id="error without a name"),
        pytest.param(Say(429, _HTML, {"Retry-After": "7"}), 429, 7, id="429 as HTML"),
        pytest.param(Say(429, {"error": "invalid_grant"}), 429, None, id="429 as JSON"),
        pytest.param(Say(500, {"error": "invalid_grant"}), 500, None, id="500 as JSON"),
        pytest.param(Say(502, _HTML), 502, None, id="502"),
        pytest.param(Say(503, "", {"Retry-After": "99999999"}), 503, 86_400, id="503 for years"),
        pytest.param(Say(503, "", {"Retry-After": "-5"}), 503, None, id="503 for less than nothing"),
        pytest.param(Say(503, "", {"Retry-After": "soon"}), 503, None, id="503 for a word"),
        pytest.param(
            Say(504, _HTML, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}), 504, 86_400, id="504 to a date"
        ),
        pytest.param(Say(599, ""), 599, None, id="599"),
        pytest.param(Say(400, {"error": "temporarily_unavailable"}, {"Retry-After": "9"}), 400, 9, id="unavailable"),
        pytest.param(Say(400, {"error": "server_error", "error_description": "access_denied"}), 400, None, id="server"),
        pytest.param(Close(), None, None, id="connection cut"),
        pytest.param(Close(after=True), None, None, id="answer lost"),
        pytest.param(Say(200, {"access_token": "t" * 99}, cut=10), None, None, id="answer cut short"),
        pytest.param(Flood(), None, None, id="10 MB"),
    ],
)
def test_an_answer_that_is_no_refusal_leaves_the_grant_as_it_was(
    name: str, action: Action, code: int | None, wait: int | None
) -> None:
    with _line(name, action) as line, pytest.raises(TokenEndpointFailed) as failed:
        line.renew()

    assert (failed.value.reply.phase, failed.value.reply.code) == (Phase.AUTH, code)
    assert failed.value.verdict.failure_class == "auth-transient"
    assert failed.value.verdict.wait_seconds == wait
    assert len(line.provider.requests("unknown")) == 0  # no redirect was followed


_ENTRA = "AADSTS{}: What happened. Trace ID: 0a1b2c3d-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("name", "error", "description", "remedy_id"),
    [
        ("microsoft365", "invalid_grant", _ENTRA.format(700082), "entra-refresh-token-expired"),
        ("microsoft365", "invalid_grant", _ENTRA.format(70008), "entra-refresh-token-expired"),
        ("microsoft365", "invalid_grant", _ENTRA.format(50173), "entra-sessions-revoked"),
        ("microsoft365", "interaction_required", _ENTRA.format(50076), "entra-mfa-needed"),
        ("microsoft365", "interaction_required", "", "entra-refused"),
        ("microsoft365", "invalid_client", _ENTRA.format(7000222), "entra-client-secret-expired"),
        ("microsoft365", "unauthorized_client", _ENTRA.format(700016), "entra-app-or-tenant-not-found"),
        ("microsoft365", "some_new_error", "", "entra-refused"),
        ("google", "invalid_grant", "Token has been expired or revoked.", "google-grant-expired-or-revoked"),
        ("google", "invalid_grant", "Bad Request", "google-grant-expired-or-revoked"),
        ("google", "invalid_grant", "reauth related error (invalid_rapt)", "google-session-control"),
        ("google", "unauthorized_client", "", "google-client-not-authorized"),
        ("google", "invalid_client", "The OAuth client was not found.", "google-client-invalid"),
        ("google", "admin_policy_enforced", "", "google-workspace-policy"),
        ("yandex", "invalid_grant", "expired_token", "token-grant-refused"),
        ("generic", "invalid_grant", "", "token-grant-refused"),
        ("generic", "invalid_client", "", "token-client-refused"),
        ("generic", "invalid_scope", "", "token-request-refused"),
        ("generic", "interaction_required", "", "token-consent-needed"),
        ("generic", "some_new_error", "", "token-refused"),
        ("generic", "some_new_error", "service temporarily_unavailable, server_error", "token-refused"),
    ],
)
def test_an_error_of_the_protocol_refuses_the_grant(name: str, error: str, description: str, remedy_id: str) -> None:
    status = 401 if error == "invalid_client" else 400
    action = Say(status, {"error": error, "error_description": description})
    with _line(name, action) as line, pytest.raises(GrantRefused) as refused:
        line.renew()

    assert refused.value.verdict.remedy_id == remedy_id
    assert (refused.value.reply.code, refused.value.reply.text.startswith(error)) == (status, True)


@pytest.mark.parametrize(
    ("name", "error", "description", "wait"),
    [
        ("microsoft365", "invalid_grant", _ENTRA.format(90033), None),
        ("microsoft365", "invalid_grant", _ENTRA.format(50196), 900),
        ("microsoft365", "temporarily_unavailable", _ENTRA.format(90006), None),
        ("google", "internal_failure", "", None),
        ("google", "rate_limit_exceeded", "", None),
        ("generic", "slow_down", "invalid_grant", None),
    ],
)
def test_a_passing_error_of_the_protocol_is_asked_again(
    name: str, error: str, description: str, wait: int | None
) -> None:
    action = Say(400, {"error": error, "error_description": description})
    with _line(name, action) as line, pytest.raises(TokenEndpointFailed) as failed:
        line.renew()

    assert failed.value.verdict.wait_seconds == wait


def test_a_lapsed_grant_of_a_person_is_not_taken_for_a_lapsed_code() -> None:
    action = Say(400, {"error": "invalid_grant", "error_description": _ENTRA.format(70008)})
    with _line("microsoft365", action, action, grant="authorization_code") as line:
        with pytest.raises(GrantRefused):
            line.renew()
        with pytest.raises(TokenEndpointFailed) as failed:
            line.providers.redeem(
                line.account, secret_of(), code="c", code_verifier=VERIFIER, redirect_uri=REDIRECT_URI, now=NOW
            )

    assert failed.value.verdict.remedy_id == "entra-code-used-or-expired"


def test_an_error_under_200_is_an_error() -> None:
    with _line("generic", Say(200, {"error": "invalid_grant"})) as line, pytest.raises(GrantRefused):
        line.renew()


def test_a_clock_that_is_wrong_never_loses_a_service_account() -> None:
    text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat."
    with _line("google", Say(400, {"error": "invalid_grant", "error_description": text}), grant="jwt_bearer") as line:
        with pytest.raises(TokenEndpointFailed) as failed:
            line.providers.renew(line.account, secret_of(service_account_key=service_account()), now=NOW)

        assert failed.value.verdict.remedy_id == "google-jwt-clock"


@pytest.mark.parametrize(
    ("age", "remedy_id"),
    [
        (timedelta(days=7, minutes=10), "google-testing-consent-lapsed"),
        (timedelta(days=6, hours=23), "google-testing-consent-lapsed"),
        (timedelta(days=5), "google-grant-expired-or-revoked"),
        (timedelta(days=40), "google-grant-expired-or-revoked"),
    ],
)
def test_the_end_of_a_test_consent_screen_is_said(age: timedelta, remedy_id: str) -> None:
    action = Say(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
    with (
        _line("google", action, known={"consented_at": (NOW - age).isoformat()}) as line,
        pytest.raises(GrantRefused) as refused,
    ):
        line.renew()

    assert refused.value.verdict.remedy_id == remedy_id


def test_the_life_of_a_test_grant_is_told() -> None:
    with _line("google", Say(over={"refresh_token_expires_in": 604_799})) as line:
        assert line.renew().refresh_token_expires_at == NOW + timedelta(seconds=604_799)


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
    with _line(name, Say(over={"expires_in": expires_in})) as line:
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
    with _line("generic", Say(over={"scope": scope})) as line:
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
    with _line(name, Say(over={"token_type": token_type})) as line:
        assert line.renew().access_token


@_WAYS
@pytest.mark.parametrize("refresh_token", [None, "", 7])
def test_a_refresh_token_that_is_not_given_again_is_none(name: str, refresh_token: object) -> None:
    with _line(name, Say(over={"refresh_token": refresh_token})) as line:
        assert line.renew().refresh_token is None


@pytest.mark.parametrize("granted", ["", "openid"])
def test_a_token_without_the_scope_of_the_application_is_refused(granted: str) -> None:
    with (
        _line("generic", Say(over={"scope": granted}), grant="client_credentials") as line,
        pytest.raises(GrantRefused) as refused,
    ):
        line.renew()

    assert refused.value.verdict.remedy_id == "token-scope-not-granted"


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
    with _line(name, Say(over={"id_token": token})) as line:
        assert line.renew().identity == identity


def test_an_address_that_google_did_not_verify_names_nobody() -> None:
    token = id_token({"email": USER, "email_verified": False})
    with _line("google", Say(over={"id_token": token})) as line:
        assert line.renew().identity is None


@_WAYS
@pytest.mark.parametrize(
    "action",
    [Hang(), Drip(part="body"), Drip(part="head")],
    ids=["silence", "dripping body", "dripping head"],
)
def test_an_answer_that_never_ends_is_given_up_in_time(name: str, action: Action) -> None:
    begun = time.monotonic()
    with _line(name, action) as line, pytest.raises(TokenEndpointFailed) as failed:
        line.renew(deadline=begun + 0.3)

    assert time.monotonic() - begun < 3
    assert failed.value.reply.text.startswith("timed out (token endpoint ")


def test_a_deadline_that_has_passed_asks_nothing() -> None:
    with _line("generic") as line, pytest.raises(TokenEndpointFailed):
        line.renew(deadline=time.monotonic())

    assert line.provider.requests() == []


@pytest.mark.parametrize("name", ["microsoft365", "google", "generic"])
def test_nothing_secret_is_said_whatever_the_provider_repeats(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with _line(name) as line:
        secret = secret_of(refresh_token=line.provider.refresh_token())
        assert secret.refresh_token is not None
        refresh_token = secret.refresh_token.get_secret_value()
        echoes = f"you sent {refresh_token} and {CLIENT_SECRET}, {VERIFIER} for code-7; eyJ{'x' * 60} was given"
    said = []
    for error in ("invalid_grant", f"invalid_grant {refresh_token}", "server_error"):
        action = Say(400, {"error": error, "error_description": echoes, "access_token": "leaked-token"})
        with _line(name, action, action) as line:
            with pytest.raises((GrantRefused, TokenEndpointFailed)) as renewed:
                line.providers.renew(line.account, secret, now=NOW)
            with pytest.raises((GrantRefused, TokenEndpointFailed)) as redeemed:
                line.providers.redeem(
                    line.account, secret, code="code-7", code_verifier=VERIFIER, redirect_uri=REDIRECT_URI, now=NOW
                )
        said += [f"{raised.value!r} {raised.value} {vars(raised.value)}" for raised in (renewed, redeemed)]

    # The refresh token is no part of the exchange of a code, so only its look gives it away there.
    spoken = " ".join([*said, *(record.getMessage() for record in caplog.records)])
    for word in (CLIENT_SECRET, VERIFIER, "eyJ", "leaked-token"):
        assert word not in spoken
    assert refresh_token not in " ".join(said[::2])
    assert not re.search(r"\bcode-7\b", " ".join(said[1::2]))


def test_tokens_show_nothing_in_their_repr() -> None:
    with _line("generic") as line:
        tokens = line.renew()

    assert tokens.access_token not in repr(tokens)
    assert (tokens.refresh_token or "?") not in repr(tokens)


@pytest.mark.parametrize(
    ("grant", "name", "values", "remedy_id"),
    [
        ("authorization_code", "google", {}, "not-connected"),
        ("refresh_token", "generic", {}, "not-connected"),
        ("jwt_bearer", "google", {}, "secret-missing"),
        ("jwt_bearer", "google", {"service_account_key": "{}"}, "not-set-up"),
        ("client_credentials", "microsoft365", {"client_certificate": "-----BEGIN"}, "not-set-up"),
        (
            "client_credentials",
            "microsoft365",
            {"client_certificate": application_certificate().partition("-----BEGIN PRIVATE")[0]},
            "not-set-up",
        ),
    ],
)
def test_what_is_not_there_is_not_asked_for(
    grant: str, name: str, values: dict[str, str | None], remedy_id: str
) -> None:
    with _line(name, grant=grant) as line, pytest.raises(GrantRefused) as refused:
        line.providers.renew(line.account, secret_of(**values), now=NOW)

    assert refused.value.verdict.remedy_id == remedy_id
    assert line.provider.requests() == []


def test_settings_that_cannot_be_used_are_not_tried() -> None:
    with IdentityProvider() as provider:
        account = account_of("microsoft365", token_url=provider.token_url)

        with pytest.raises(GrantRefused) as refused:
            providers_at(provider).renew(account, secret_of(refresh_token="r"), now=NOW)

    assert refused.value.reply.text == "The endpoints of microsoft365 cannot be changed."
    assert provider.requests() == []
