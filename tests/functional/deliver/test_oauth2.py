"""Mail by XOAUTH2: a token is renewed before it lapses, once when it is refused, and rotation loses no grant."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.conftest import Context
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, USER, IdentityProvider
from tests.identity_provider import Say as Answer
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_LAPSED = timedelta(minutes=-1)
_LASTING = timedelta(minutes=55)


class _Token:
    """Equal to every access token that its identity provider stands by."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    def __eq__(self, token: object) -> bool:
        return self._provider.grants.user_of(str(token)) == USER

    __hash__ = None  # type: ignore[assignment]  # it is only compared


class _Tokens(Mapping[str, Any]):
    """The tokens that a relay accepts, when it asks its identity provider."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._token = _Token(provider)

    def __getitem__(self, username: str) -> _Token:
        if username != USER:
            raise KeyError(username)
        return self._token

    def __iter__(self) -> Iterator[str]:
        return iter([USER])

    def __len__(self) -> int:
        return 1


def _relay(provider: IdentityProvider, **script: Any) -> Relay:  # noqa: ANN401  (actions of the relay)
    return Relay(security="starttls", mechanisms=("XOAUTH2",), tokens=_Tokens(provider), script=script)


def _save(
    acme: Acme,
    relay: Relay,
    provider: IdentityProvider,
    *,
    ends_in: timedelta,
    token: str = "",
    forced_at: str | None = None,
) -> None:
    """Save an account whose access token is `token`, or one that nobody issued, and ends so far from now."""
    now = datetime.now(UTC)
    acme.changes = {
        "auth": {
            "type": "oauth2",
            "username": USER,
            "oauth2": {
                "grant": "refresh_token",
                "client_id": CLIENT_ID,
                "token_url": provider.token_url,
                "authorization_url": provider.authorization_url,
                "scopes": ["mail"],
            },
        }
    }
    acme.secret = {
        "access_token": token or "stale",
        "access_token_expires_at": (now + ends_in).isoformat(),
        "refresh_token": provider.refresh_token("mail"),
        "client_secret": CLIENT_SECRET,
        "grant_version": 1,
    }
    acme.found_out = {
        "status": "verified",
        "grant": {
            "version": 1,
            "renewed_at": (now + ends_in - timedelta(hours=1)).isoformat(),
            "access_token_expires_at": (now + ends_in).isoformat(),
            "forced_at": forced_at,
        },
    }
    acme.save(relay)


def _good_token(provider: IdentityProvider) -> str:
    return provider.grants.access_token(provider.grants.new_family(USER, "mail"))


def test_a_token_that_lasts_is_used_as_it_is(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LASTING, token=_good_token(provider))

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": "accepted"}
    assert provider.requests() == []


def test_a_token_that_lapses_is_renewed_and_stored_before_it_is_used(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)

        assert deliver(acme.event("ana@example.org")) == []

    account, secret = acme.account(), acme.stored_secret()
    assert acme.states() == {"ana@example.org": "accepted"}
    assert len(provider.requests()) == 1
    assert secret["refresh_token"] != acme.secret["refresh_token"]
    assert account["credential_version"] == secret["version"]
    assert (account["state"]["grant"]["version"], secret["grant_version"]) == (2, 2)
    assert account["state"]["status"] == "verified"


def test_a_refused_token_is_renewed_once_for_the_whole_window(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)

        deliver(acme.event(*(f"p{number}@example.org" for number in range(20))))

    assert set(acme.states().values()) == {"accepted"}
    assert len(provider.requests()) == 1
    assert {delivery["attempt"] for delivery in acme.deliveries().values()} == {1}


_REVOKED_BEHIND_ONE_MAIL = {
    "auth": [Say("235 2.7.0 welcome")],
    "content": [Say("250 2.0.0 queued", then_close=True)],
}
_THREE = ("ana@example.org", "bo@example.org", "cy@example.org")


def test_a_token_that_is_revoked_in_mid_batch_is_renewed_and_nothing_repeated(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, _relay(provider, **_REVOKED_BEHIND_ONE_MAIL) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)

        assert deliver(acme.event(*_THREE)) == []

    assert acme.states() == dict.fromkeys(_THREE, "accepted")
    assert (len(provider.requests()), len(relay.contents)) == (1, 3)


@pytest.mark.parametrize(
    ("operation", "rest"),
    [
        ("GetItem", "deferred"),
        ("PutItem", "deferred"),
        ("UpdateItem", "deferred"),
        ("DeleteItem", "accepted"),  # the lease ends on its own
    ],
)
def test_what_was_accepted_is_journaled_though_aws_is_busy_when_a_token_is_revoked(
    acme: Acme, deliver: Invoke, operation: str, rest: str
) -> None:
    with IdentityProvider() as provider, _relay(provider, **_REVOKED_BEHIND_ONE_MAIL) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)
        with trouble_with_aws(refused("ThrottlingException"), at=lambda call: call.name == operation):
            assert deliver(acme.event(*_THREE)) == []

    assert acme.states() == dict(zip(_THREE, ("accepted", rest, rest), strict=True))
    assert len(relay.contents) == (3 if rest == "accepted" else 1)


@pytest.mark.parametrize(
    ("auth", "token_answers", "state", "asked", "status"),
    [
        pytest.param(Say("535 5.7.8 no"), None, "parked", 1, "reauthorization_required", id="refused-twice"),
        pytest.param(Say("535 5.7.8 no"), Answer(503), "deferred", 1, "verified", id="refused-and-no-new-token-now"),
        pytest.param(Say("454 4.7.0 later"), None, "deferred", 0, "verified", id="temporary"),
        pytest.param(
            Say("535 5.7.8 authentication failed: (reason unavailable)"),
            None,
            "deferred",
            1,
            "verified",
            id="refused-twice-without-a-reason",
        ),
    ],
)
def test_a_login_that_fails(
    acme: Acme, deliver: Invoke, auth: Say, token_answers: Answer | None, state: str, asked: int, status: str
) -> None:
    with (
        IdentityProvider(script={"token": token_answers} if token_answers else None) as provider,
        _relay(provider, auth=auth) as relay,
    ):
        _save(acme, relay, provider, ends_in=_LASTING)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert len(provider.requests()) == asked
    assert acme.account()["state"]["status"] == status
    assert sum(command.startswith("AUTH") for command in relay.commands) <= 2


def test_after_a_second_refusal_no_further_login_is_tried(acme: Acme, deliver: Invoke) -> None:
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    with IdentityProvider() as provider, _relay(provider, auth=Say("535 5.7.8 no")) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)
        deliver(acme.event("ana@example.org"))
        wiring.settings_store.cache_clear()
        wiring.receive.cache_clear()
        tried = len(relay.commands)

        deliver(acme.event("bo@example.org"))

    assert set(acme.states().values()) == {"parked"}
    assert len(relay.commands) == tried
    assert len(provider.requests()) == 1


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
    with IdentityProvider(script={"token": answer}) as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert acme.account()["state"]["status"] == status
    assert relay.connections == 0


def test_a_lost_grant_is_told_to_the_bus_and_to_the_projects_admins(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    acme.project = {"admins": [{"email": "admin@acme.example"}]}
    refusal = Answer(400, body='{"error": "invalid_grant"}')
    with IdentityProvider(script={"token": refusal}) as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)

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
    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)

        deliver(*(acme.event(f"p{number}@example.org") for number in range(8)))

        assert len(provider.requests()) == 1
        assert provider.grants.renew(acme.stored_secret()["refresh_token"], rotate=True)
    assert set(acme.states().values()) <= {"accepted", "deferred"}


def test_the_schedule_renews_what_is_due_again_and_again_and_the_grant_still_works(acme: Acme, deliver: Invoke) -> None:
    from functions.refresh.app import lambda_handler  # noqa: PLC0415  (after the stack is there)

    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)
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
    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)
        deliver(acme.event("ana@example.org"))
        acme.forget_renewal()

        deliver(acme.event("bo@example.org"))

    assert set(acme.states().values()) == {"accepted"}
    assert len(provider.requests()) == 1


@pytest.mark.parametrize(
    ("final", "state", "asked", "logins"),
    [
        pytest.param("454 4.7.0 Temporary authentication failure", "deferred", 0, 1, id="trouble-of-the-relay"),
        pytest.param("535 5.7.8 Authentication failed", "accepted", 1, 2, id="refused"),
        pytest.param("501 5.5.2 Cannot decode response", "accepted", 1, 2, id="refused-in-other-words"),
    ],
)
def test_what_follows_an_error_challenge_says_whether_a_new_token_may_help(
    acme: Acme, deliver: Invoke, final: str, state: str, asked: int, logins: int
) -> None:
    challenge = Say(f"334 {b64encode(b'{"status":"401","schemes":"bearer"}').decode()}")
    # The answer to an error challenge of XOAUTH2 is an empty line, which is a step of the relay as well.
    with IdentityProvider() as provider, _relay(provider, **{"auth": [challenge], "": Say(final)}) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert len(provider.requests()) == asked
    assert sum(command.startswith("AUTH") for command in relay.commands) == logins
    assert acme.account()["state"]["status"] == "verified"


def test_a_refusal_that_does_not_name_the_credential_parks_the_mail_but_not_the_account(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    with IdentityProvider() as provider, _relay(provider, auth=Say("535 authentication failed")) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": "parked"}
    assert len(provider.requests()) == 1
    assert acme.account()["state"]["status"] == "verified"
    assert "refresh_at" in acme.account()
    assert {event["detail-type"] for event in stack.events()} == {"delivery.parked"}


_NO = Say("535 5.7.8 no")
_CHALLENGE: dict[str, Any] = {"auth": [Say(f"334 {b64encode(b'{"status":"401"}').decode()}")], "": _NO}


@pytest.mark.parametrize("script", [_CHALLENGE, {"auth": [_NO]}], ids=["challenge", "535"])
@pytest.mark.parametrize(
    ("forced", "state", "asked", "logins"),
    [
        pytest.param(timedelta(minutes=9), "deferred", 0, 1, id="minutes-ago"),
        pytest.param(timedelta(minutes=10), "accepted", 1, 2, id="long-ago"),
    ],
)
def test_a_refusal_soon_after_a_forced_renewal_waits_for_the_next_one(
    acme: Acme, deliver: Invoke, script: dict[str, Any], forced: timedelta, state: str, asked: int, logins: int
) -> None:
    now = datetime.now(UTC)
    with IdentityProvider() as provider, _relay(provider, **script) as relay:
        _save(acme, relay, provider, ends_in=_LASTING, forced_at=(now - forced).isoformat())

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert acme.account()["state"]["status"] == "verified"
    assert (len(provider.requests()), sum(command.startswith("AUTH") for command in relay.commands)) == (asked, logins)
    if state == "deferred":
        [delivery] = acme.deliveries().values()
        assert delivery["attempt"] == 0
        wait = datetime.fromisoformat(delivery["retry_at"]) - now
        assert timedelta(seconds=50) < wait < timedelta(seconds=70)


def test_what_comes_until_the_next_forced_renewal_does_not_log_in_again_and_again(acme: Acme, deliver: Invoke) -> None:
    script: dict[str, Any] = {"auth": _CHALLENGE["auth"][0], "": _NO}
    with IdentityProvider() as provider, _relay(provider, **script) as relay:
        _save(acme, relay, provider, ends_in=_LASTING, forced_at=datetime.now(UTC).isoformat())

        for number in range(6):
            deliver(acme.event(f"p{number}@example.org"))

    assert set(acme.states().values()) == {"deferred"}
    assert acme.account()["state"]["grant"]["version"] == 1
    assert acme.account()["state"]["status"] == "failing"
    assert sum(command.startswith("AUTH") for command in relay.commands) == 3


def test_a_token_that_was_renewed_and_worked_is_not_given_up_when_it_is_refused_next(
    acme: Acme, deliver: Invoke
) -> None:
    script = {"auth": [_NO, None, _NO], "content": [Say("250 2.0.0 queued", then_close=True)]}
    with IdentityProvider() as provider, _relay(provider, **script) as relay:
        _save(acme, relay, provider, ends_in=_LASTING)

        assert deliver(acme.event(*_THREE)) == []

    assert acme.states() == dict(zip(_THREE, ("accepted", "deferred", "deferred"), strict=True))
    assert acme.account()["state"]["status"] == "verified"
    assert (len(provider.requests()), sum(command.startswith("AUTH") for command in relay.commands)) == (1, 3)


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
    with IdentityProvider() as provider, _relay(provider) as relay:
        _save(acme, relay, provider, ends_in=_LAPSED)
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
