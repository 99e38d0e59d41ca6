"""A relay refuses an access token: it is renewed once, and no login is tried again and again."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.grants import LASTING, relay_of, save_grant
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.identity_provider import IdentityProvider
from tests.identity_provider import Say as Answer
from tests.relay import Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack


def test_a_refused_token_is_renewed_once_for_the_whole_window(acme: Acme, deliver: Invoke) -> None:
    with IdentityProvider() as provider, relay_of(provider) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)

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
    with IdentityProvider() as provider, relay_of(provider, **_REVOKED_BEHIND_ONE_MAIL) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)

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
    with IdentityProvider() as provider, relay_of(provider, **_REVOKED_BEHIND_ONE_MAIL) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)
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
        relay_of(provider, auth=auth) as relay,
    ):
        save_grant(acme, relay, provider, ends_in=LASTING)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert len(provider.requests()) == asked
    assert acme.account()["state"]["status"] == status
    assert sum(command.startswith("AUTH") for command in relay.commands) <= 2


def test_after_a_second_refusal_no_further_login_is_tried(acme: Acme, deliver: Invoke) -> None:
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    with IdentityProvider() as provider, relay_of(provider, auth=Say("535 5.7.8 no")) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)
        deliver(acme.event("ana@example.org"))
        wiring.settings_store.cache_clear()
        wiring.receive.cache_clear()
        tried = len(relay.commands)

        deliver(acme.event("bo@example.org"))

    assert set(acme.states().values()) == {"parked"}
    assert len(relay.commands) == tried
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
    with IdentityProvider() as provider, relay_of(provider, **{"auth": [challenge], "": Say(final)}) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert len(provider.requests()) == asked
    assert sum(command.startswith("AUTH") for command in relay.commands) == logins
    assert acme.account()["state"]["status"] == "verified"


def test_a_refusal_that_does_not_name_the_credential_parks_the_mail_but_not_the_account(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    with IdentityProvider() as provider, relay_of(provider, auth=Say("535 authentication failed")) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)

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
    with IdentityProvider() as provider, relay_of(provider, **script) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING, forced_at=(now - forced).isoformat())

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
    with IdentityProvider() as provider, relay_of(provider, **script) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING, forced_at=datetime.now(UTC).isoformat())

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
    with IdentityProvider() as provider, relay_of(provider, **script) as relay:
        save_grant(acme, relay, provider, ends_in=LASTING)

        assert deliver(acme.event(*_THREE)) == []

    assert acme.states() == dict(zip(_THREE, ("accepted", "deferred", "deferred"), strict=True))
    assert acme.account()["state"]["status"] == "verified"
    assert (len(provider.requests()), sum(command.startswith("AUTH") for command in relay.commands)) == (1, 3)
