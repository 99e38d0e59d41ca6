"""Mail by XOAUTH2: a token is renewed before it lapses, and rotation loses no grant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.conftest import Context
from tests.functional.deliver.grants import LAPSED, LASTING, relay_of, save_grant, token_of
from tests.identity_provider import IdentityProvider
from tests.identity_provider import Say as Answer

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack


def test_a_token_that_lasts_is_used_as_it_is(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING, token=token_of(provider))

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": "accepted"}
    assert provider.requests() == []


def test_a_token_that_lapses_is_renewed_and_stored_before_it_is_used(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)

        assert deliver(acme.event("ana@example.org")) == []

    account, secret = acme.account(), acme.stored_secret()
    assert acme.states() == {"ana@example.org": "accepted"}
    assert len(provider.requests()) == 1
    assert secret["refresh_token"] != acme.secret["refresh_token"]
    assert account["credential_version"] == secret["version"]
    assert (account["state"]["grant"]["version"], secret["grant_version"]) == (2, 2)
    assert account["state"]["status"] == "verified"


@pytest.mark.parametrize(
    ("answer", "state", "status"),
    [
        pytest.param(Answer(503), "deferred", "verified", id="provider-in-trouble"),
        pytest.param(Answer(429, headers={"Retry-After": "60"}), "deferred", "verified", id="provider-throttles"),
        pytest.param(
            Answer(400, body='{"error": "invalid_grant"}'), "parked", "reauthorization_required", id="grant-lost"
        ),
    ],
)
def test_a_lapsed_token_that_cannot_be_renewed(
    acme: Acme, deliver: Invoke, answer: Answer, state: str, status: str
) -> None:
    with IdentityProvider(script={"token": answer}) as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert acme.account()["state"]["status"] == status
    assert relay.connections == 0


def test_a_lost_grant_is_told_to_the_bus_and_to_the_projects_admins(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    acme.project = {"admins": [{"email": "admin@acme.example"}]}
    refusal = Answer(400, body='{"error": "invalid_grant"}')
    with IdentityProvider(script={"token": refusal}) as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)

        deliver(acme.event("ana@example.org"))

    assert {event["detail-type"] for event in stack.events()} == {
        "mail_account.reauthorization_required",
        "delivery.parked",
    }
    [notice] = stack.messages("NotificationQueue")
    assert "settings.reauthorization_required" in notice["body"]
    assert "admin@acme.example" in notice["body"]
    assert "refresh_at" not in acme.account()


def test_many_workers_at_once_renew_a_rotating_grant_once_and_its_family_survives(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)

        deliver(*(acme.event(f"p{number}@example.org") for number in range(8)))

        assert len(provider.requests()) == 1
        assert provider.grants.renew(acme.stored_secret()["refresh_token"], rotate=True)
    assert set(acme.states().values()) <= {"accepted", "deferred"}


def test_the_schedule_renews_what_is_due_again_and_again_and_the_grant_still_works(acme: Acme, deliver: Invoke) -> None:
    from functions.refresh.app import lambda_handler  # noqa: PLC0415  (after the stack is there)

    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)
        for version in (2, 3):
            lambda_handler({}, Context(60))
            assert acme.stored_secret()["grant_version"] == version
            acme.let_token_lapse()
        lambda_handler({}, Context(60))
        deliver(acme.event("ana@example.org"))

        lambda_handler({}, Context(60))

    assert len(provider.requests()) == 3
    assert acme.stored_secret()["grant_version"] == 4
    assert acme.states() == {"ana@example.org": "accepted"}


def test_a_function_that_died_between_its_two_writes_is_made_good_without_a_request(
    acme: Acme, deliver: Invoke
) -> None:
    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)
        deliver(acme.event("ana@example.org"))
        acme.forget_renewal()

        deliver(acme.event("bo@example.org"))

    assert set(acme.states().values()) == {"accepted"}
    assert len(provider.requests()) == 1


class _Died(BaseException):
    """The end of a function, which nothing in it can handle."""


def _die(**_: object) -> None:
    raise _Died


def test_a_function_that_died_with_rotated_tokens_loses_the_grant_and_the_admins_are_told(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    acme.project = {"admins": [{"email": "admin@acme.example"}]}
    calls, storing = wiring.client("secretsmanager").meta.events, "before-call.secrets-manager.PutSecretValue"
    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LAPSED)
        event = acme.event("ana@example.org")
        calls.register(storing, _die)
        try:
            assert deliver(event) == ["message-0"]
        finally:
            calls.unregister(storing, _die)
        assert acme.account()["state"]["status"] == "verified"

        assert deliver(event, receive_count=2) == []

    assert len(provider.requests()) == 2
    assert acme.stored_secret()["refresh_token"] == acme.secret["refresh_token"]
    assert acme.states() == {"ana@example.org": "parked"}
    assert acme.account()["state"]["status"] == "reauthorization_required"
    [notice] = stack.messages("NotificationQueue")
    assert "settings.reauthorization_required" in notice["body"]
    assert "admin@acme.example" in notice["body"]
