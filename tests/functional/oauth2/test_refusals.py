"""The errors of OAuth2: which of them lose a grant, which of them pass, and what the admin is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.functional.oauth2.line import line_to
from tests.identity_provider import IdentityProvider, Say, application_certificate, service_account
from tests.identity_provider.accounts import NOW, REDIRECT_URI, VERIFIER, account_of, providers_at, secret_of

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
    with line_to(name, action) as line, pytest.raises(GrantRefused) as refused:
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
    with line_to(name, action) as line, pytest.raises(TokenEndpointFailed) as failed:
        line.renew()

    assert failed.value.verdict.wait_seconds == wait


def test_a_lapsed_grant_of_a_person_is_not_taken_for_a_lapsed_code() -> None:
    action = Say(400, {"error": "invalid_grant", "error_description": _ENTRA.format(70008)})
    with line_to("microsoft365", action, action, grant="authorization_code") as line:
        with pytest.raises(GrantRefused):
            line.renew()
        with pytest.raises(TokenEndpointFailed) as failed:
            line.providers.redeem(
                line.account, secret_of(), code="c", code_verifier=VERIFIER, redirect_uri=REDIRECT_URI, now=NOW
            )

    assert failed.value.verdict.remedy_id == "entra-code-used-or-expired"


def test_an_error_under_200_is_an_error() -> None:
    with line_to("generic", Say(200, {"error": "invalid_grant"})) as line, pytest.raises(GrantRefused):
        line.renew()


def test_a_clock_that_is_wrong_never_loses_a_service_account() -> None:
    text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat."
    with line_to("google", Say(400, {"error": "invalid_grant", "error_description": text}), grant="jwt_bearer") as line:
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
        line_to("google", action, known={"consented_at": (NOW - age).isoformat()}) as line,
        pytest.raises(GrantRefused) as refused,
    ):
        line.renew()

    assert refused.value.verdict.remedy_id == remedy_id


@pytest.mark.parametrize(
    ("name", "grant", "granted", "remedy_id"),
    [
        ("generic", "client_credentials", "", "token-scope-not-granted"),
        ("generic", "client_credentials", "openid", "token-scope-not-granted"),
        ("generic", "refresh_token", "openid", "token-scope-not-granted"),
        ("google", "refresh_token", "https://www.googleapis.com/auth/gmail.send openid", "google-mail-scope-unticked"),
        ("microsoft365", "refresh_token", "https://graph.microsoft.com/Mail.Send", "entra-scope-not-granted"),
    ],
)
def test_a_token_without_the_scope_of_the_transport_is_refused_where_nobody_consented_to_it_here(
    name: str, grant: str, granted: str, remedy_id: str
) -> None:
    with (
        line_to(name, Say(over={"scope": granted}), grant=grant) as line,
        pytest.raises(GrantRefused) as refused,
    ):
        line.renew()

    assert refused.value.verdict.remedy_id == remedy_id


@pytest.mark.parametrize(
    ("name", "grant", "granted"),
    [
        ("generic", "authorization_code", "openid"),  # compared when somebody consented
        ("generic", "refresh_token", None),
        ("google", "refresh_token", "openid https://mail.google.com/"),
        ("microsoft365", "refresh_token", "SMTP.Send"),  # Entra may leave the resource out
    ],
)
def test_a_token_whose_scopes_were_compared_or_fit_or_are_not_named_is_taken(
    name: str, grant: str, granted: str | None
) -> None:
    with line_to(name, Say(over={"scope": granted}), grant=grant) as line:
        assert line.renew().access_token


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
    with line_to(name, grant=grant) as line, pytest.raises(GrantRefused) as refused:
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
