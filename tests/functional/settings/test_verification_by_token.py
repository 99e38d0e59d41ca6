"""Verification of mail accounts that log in by tokens: a grant that is spent on the way is not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.functional.deliver.grants import GoodToken
from tests.functional.deliver.trouble import Call, refused, trouble_with_aws
from tests.functional.settings.conftest import password_account
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, USER, IdentityProvider
from tests.identity_provider import Say as Answer
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.functional.settings.conftest import Desk, Json
    from tests.relay import Script


def _relay(provider: IdentityProvider, script: Script | None = None) -> Relay:
    tokens: Mapping[str, Any] = {USER: GoodToken(provider)}
    return Relay(script=script, security="starttls", mechanisms=("XOAUTH2",), tokens=tokens)


def _account(provider: IdentityProvider, relay: Relay, *, refresh_token: str | None) -> Json:
    oauth2 = {
        "grant": "refresh_token",
        "client_id": CLIENT_ID,
        "token_url": provider.token_url,
        "scopes": ["mail"],
    }
    if refresh_token is not None:
        oauth2 |= {"client_secret": CLIENT_SECRET, "refresh_token": refresh_token}
    return password_account(
        provider="generic",
        relay={
            "host": relay.host,
            "port": relay.port,
            "security": "starttls",
            "ca_certificate": relay.ca_certificate,
        },
        auth={"type": "oauth2", "username": USER, "oauth2": oauth2},
    )


def test_tokens_that_the_verification_obtained_are_saved_with_the_account(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        pasted = provider.refresh_token("mail")
        created = desk.ask("POST", "?validate=true", _account(provider, relay, refresh_token=pasted))
        assert (created.status, created.json["status"]) == (201, "verified"), created.body
        again = desk.ask("POST", f"/{created.json['id']}/verification")

    assert again.json["passed"]
    secret = desk.secret(created.json["id"])
    assert secret["refresh_token"] != pasted  # the provider took it back for this one
    assert secret["access_token"]
    assert len(provider.requests()) == 1
    assert created.json["grant"]["access_token_expires_at"]


def test_a_change_keeps_the_tokens_that_it_was_verified_with(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        first = provider.refresh_token("mail")
        created = desk.ask("POST", "", _account(provider, relay, refresh_token=first)).json
        changed = desk.ask("PATCH", f"/{created['id']}?validate=true", {"name": "New"})

    assert (changed.status, changed.json["status"]) == (200, "verified"), changed.body
    secret = desk.secret(created["id"])
    assert secret["refresh_token"] != first
    assert secret["client_secret"] == CLIENT_SECRET


def test_a_grant_that_a_change_has_renewed_is_not_lost_with_the_change(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        first = provider.refresh_token("mail")
        created = desk.ask("POST", "", _account(provider, relay, refresh_token=first)).json
        with trouble_with_aws(refused("ThrottlingException"), at=lambda call: call.name == "TransactWriteItems"):
            lost = desk.ask("PATCH", f"/{created['id']}?validate=true", {"name": "New"})
        answer = desk.ask("POST", f"/{created['id']}/verification")

    assert (lost.status, len(provider.requests())) == (503, 2)
    assert answer.json["passed"], answer.body
    assert desk.ask("GET", f"/{created['id']}").json["name"] == created["name"]


def test_it_is_not_lost_either_where_the_change_does_not_verify(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider, {"mail": [Say("550 5.7.60 not your sender")]}) as relay:
        first = provider.refresh_token("mail")
        created = desk.ask("POST", "", _account(provider, relay, refresh_token=first)).json
        refusal = desk.ask("PATCH", f"/{created['id']}?validate=true", {"name": "New"})
        answer = desk.ask("POST", f"/{created['id']}/verification")

    assert (refusal.status, refusal.json["report"]["failed_step"]) == (422, "mail")
    assert answer.json["passed"], answer.body


def test_of_a_change_that_does_not_verify_nothing_but_the_grant_is_stored(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        first = provider.refresh_token("mail")
        account = _account(provider, relay, refresh_token=first)
        account["relay"]["proxy"] = {"host": "127.0.0.1", "port": 9, "username": "ops", "password": "of-the-proxy"}
        created = desk.ask("POST", "", account).json
        wrong = {"relay": {"proxy": {"password": "mistyped"}}}
        refusal = desk.ask("PATCH", f"/{created['id']}?validate=true", wrong)

    secret = desk.secret(created["id"])
    assert (refusal.status, secret["proxy_password"]) == (422, "of-the-proxy")
    assert secret["refresh_token"] != first


def test_a_change_that_is_saved_keeps_a_grant_that_could_not_be_stored_at_first(desk: Desk) -> None:
    puts: list[str] = []

    def first_put(call: Call) -> bool:
        if call.name == "PutSecretValue":
            puts.append(call.name)
        return call.name == "PutSecretValue" and len(puts) == 1

    with IdentityProvider() as provider, _relay(provider) as relay:
        first = provider.refresh_token("mail")
        created = desk.ask("POST", "", _account(provider, relay, refresh_token=first)).json
        with trouble_with_aws(refused("ThrottlingException"), at=first_put):
            changed = desk.ask("PATCH", f"/{created['id']}?validate=true", {"name": "New"})
        answer = desk.ask("POST", f"/{created['id']}/verification")

    assert (changed.status, changed.json.get("status")) == (200, "verified"), changed.body
    assert answer.json["passed"], answer.body
    assert desk.secret(created["id"])["refresh_token"] != first


def test_a_stored_refresh_token_is_not_spent_where_nothing_is_saved(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        first = provider.refresh_token("mail")
        created = desk.ask("POST", "", _account(provider, relay, refresh_token=first)).json
        answer = desk.ask(
            "POST",
            f"/projects/{desk.project}/verification?mail_account_id={created['id']}",
            _account(provider, relay, refresh_token=None),
        )

    assert (answer.status, answer.json["failed_step"]) == (200, "auth")
    assert provider.requests() == []
    assert desk.secret(created["id"])["refresh_token"] == first


def test_a_saved_account_s_grant_is_renewed_and_stored_by_its_verification(desk: Desk) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        first = provider.refresh_token("mail")
        created = desk.ask("POST", "", _account(provider, relay, refresh_token=first)).json
        answer = desk.ask("POST", f"/{created['id']}/verification")

    assert answer.json["passed"], answer.body
    assert desk.secret(created["id"])["refresh_token"] != first
    assert desk.ask("GET", f"/{created['id']}").json["status"] == "verified"


def test_a_grant_that_is_refused_fails_auth_and_shows_the_relay_all_the_same(desk: Desk) -> None:
    refusal = Answer(400, {"error": "invalid_grant"})
    with IdentityProvider(script={"token": [refusal]}) as provider, _relay(provider) as relay:
        account = _account(provider, relay, refresh_token="s3cret-token")
        answer = desk.ask("POST", f"/projects/{desk.project}/verification", account)

    assert answer.json["failed_step"] == "auth"
    assert {step["name"]: step["outcome"] for step in answer.json["steps"]}["ehlo"] == "passed"
    assert "invalid_grant" in answer.json["reply"]["text"]
    assert "s3cret-token" not in answer.body
    assert not [line for line in relay.commands if line.startswith("AUTH")]
