"""Verification at a relay: every step, which one failed, and that nothing is ever sent."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import jwt
import pytest
from tocsin.actions.log_in import NoCredential
from tocsin.adapters.egress import Egress
from tocsin.errors import TransientError
from tocsin.model.credential import Credential
from tocsin.model.reply import Phase, Reply

from tests.functional.submission.kit import TOKEN, mail_to
from tests.functional.verification.kit import LOGIN, account_with, guard, outcomes, sent, step, steps, verified
from tests.relay import Close, Hang, Relay, Say, Trickle, authority

if TYPE_CHECKING:
    from tests.relay import Action

PASSED = {
    "settings": "passed",
    "dns": "passed",
    "egress": "passed",
    "connect": "passed",
    "tls": "passed",
    "ehlo": "passed",
    "auth": "passed",
    "mail": "passed",
    "rcpt": "passed",
    "mailbox": "skipped",
}


def _until(name: str, outcome: str = "failed") -> dict[str, str]:
    """The outcomes where `name` ended it."""
    names = list(PASSED)
    at = names.index(name)
    return {one: PASSED[one] if names.index(one) < at else "skipped" for one in names} | {name: outcome}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_good_account_passes_every_step_and_sends_nothing(security: str) -> None:
    with Relay(**LOGIN | {"security": security}) as relay:
        report = verified(account_with(relay))

    assert (report.passed, report.failed_step, report.remedy) == (True, None, None)
    assert outcomes(report) == PASSED
    assert [line.split(":")[0] for line in relay.commands[-4:]] == ["MAIL FROM", "RCPT TO", "RSET", "QUIT"]
    assert relay.mails == []
    assert relay.contents == []
    assert 0 <= sum(one.seconds or 0 for one in report.steps) <= report.seconds + 0.01


def test_each_step_tells_what_it_found() -> None:
    with Relay(**LOGIN) as relay:
        report = verified(account_with(relay))

    assert step(report, "dns").details == {"host": "127.0.0.1", "addresses": ["127.0.0.1"], "addresses_not_shown": 0}
    tls = step(report, "tls").details
    assert tls["version"] in {"TLSv1.2", "TLSv1.3"}
    assert tls["cipher"]
    assert tls["certificate"]["issuer"] == "commonName=Tests of Tocsin"
    assert "localhost" in tls["certificate"]["names"]
    assert datetime.fromisoformat(tls["certificate"]["expires_at"]) > datetime.now(UTC)
    assert {"PIPELINING", "AUTH PLAIN"} <= set(step(report, "ehlo").details["capabilities"])
    auth = step(report, "auth")
    assert (auth.details["mechanism"], auth.reply.code if auth.reply else None) == ("PLAIN", 235)
    greeting = step(report, "connect").reply
    assert greeting is not None
    assert greeting.text.startswith("relay.example.org")


def test_the_report_can_be_kept_as_json_and_holds_no_secret() -> None:
    with Relay(**LOGIN | {"passwords": {}}) as relay:
        text = verified(account_with(relay)).model_dump_json()

    assert "hunter2" not in text
    assert "AGFuYQBodW50ZXIy" not in text  # the same in base64


@pytest.mark.parametrize(
    ("script", "failed", "code", "failure_class"),
    [
        ({"connect": Say("554 5.3.2 never")}, "connect", 554, "config"),
        ({"starttls": Say("454 4.7.0 not now")}, "tls", 454, None),
        ({"tls": Close()}, "tls", None, None),
        ({"auth": Say("535 5.7.8 no")}, "auth", 535, "auth-permanent"),
        ({"auth": Say("454 4.7.0 later")}, "auth", 454, "auth-transient"),
        ({"mail": Say("550 5.7.1 not your sender")}, "mail", 550, "config"),
        ({"rcpt": Say("554 5.7.1 Relay access denied")}, "rcpt", 554, None),
    ],
    ids=["greeting", "starttls", "handshake", "auth", "auth-later", "sender", "relaying"],
)
def test_what_the_relay_refuses_is_named_with_its_reply_class_and_remedy(
    script: dict[str, Action], failed: str, code: int | None, failure_class: str | None
) -> None:
    with Relay(**LOGIN, script=script) as relay:
        report = verified(account_with(relay))

    assert (report.passed, report.failed_step) == (False, failed)
    found = step(report, failed)
    assert (found.outcome, found.reply.code if found.reply else None) == ("failed", code)
    assert report.reply == found.reply
    assert report.remedy == found.remedy
    assert found.remedy
    assert found.remedy_id
    assert failure_class in {None, found.failure_class}
    assert relay.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_steps_that_were_not_reached_are_skipped(security: str) -> None:
    with Relay(**LOGIN | {"security": security}, script={"auth": Say("535 5.7.8 no")}) as relay:
        report = verified(account_with(relay))

    assert outcomes(report) == _until("auth")


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "450 4.2.0 greylisted"])
def test_a_sample_recipient_that_is_refused_says_nothing_of_the_account(reply: str) -> None:
    with Relay(**LOGIN, script={"rcpt": Say(reply)}) as relay:
        report = verified(account_with(relay))

    assert report.passed
    assert outcomes(report) == PASSED | {"rcpt": "warning"}
    assert step(report, "rcpt").remedy


@pytest.mark.parametrize(
    ("script", "failed", "code"),
    [
        ({"mail": Say("421 4.7.0 slow down")}, "mail", 421),
        ({"rcpt": Say("421 4.7.0 slow down")}, "rcpt", 421),
        ({"mail": Say("550 5.7.1 not your sender", then_close=True)}, "mail", 550),
        ({"rcpt": Say("554 5.7.1 Relay access denied", then_close=True)}, "rcpt", 554),
    ],
    ids=["mail-421", "rcpt-421", "mail-closed", "rcpt-closed"],
)
def test_a_relay_that_ends_the_session_with_its_refusal_has_the_last_word(
    script: dict[str, Action], failed: str, code: int
) -> None:
    with Relay(**LOGIN, script=script) as relay:
        report = verified(account_with(relay))

    assert outcomes(report) == _until(failed)
    assert report.reply is not None
    assert report.reply.code == code
    assert "RSET" not in relay.commands


@pytest.mark.parametrize("action", [Close(), Say("500 5.5.1 what?"), Say("354 go ahead")], ids=["closed", "500", "354"])
def test_how_a_sample_is_taken_back_says_nothing_of_the_account(action: Action) -> None:
    with Relay(**LOGIN, script={"rset": action}) as relay:
        report = verified(account_with(relay))

    assert outcomes(report) == PASSED
    assert relay.contents == []


def test_a_certificate_that_is_not_trusted_fails_in_tls_with_its_reason() -> None:
    with Relay(**LOGIN, certificate=authority().issue("127.0.0.1", expired=True)) as relay:
        report = verified(account_with(relay))

    assert report.failed_step == "tls"
    assert report.reply is not None
    assert "expired" in report.reply.text


def test_a_relay_that_does_not_answer_fails_in_connect() -> None:
    with Relay(**LOGIN) as relay:
        account = account_with(relay)

    assert outcomes(verified(account)) == _until("connect")


@pytest.mark.parametrize(
    ("security", "script", "cut"),
    [
        ("starttls", {"connect": Hang()}, "connect"),
        ("tls", {"ehlo": Trickle("250-relay\n250 X", seconds=0.2)}, "ehlo"),
        ("tls", {"auth": Hang()}, "auth"),
        ("tls", {"mail": Hang()}, "mail"),
        ("tls", {"rcpt": Hang()}, "rcpt"),
    ],
)
def test_the_step_that_the_deadline_cut_is_named_and_the_report_comes_in_time(
    security: str, script: dict[str, Action], cut: str
) -> None:
    begun = time.monotonic()
    with Relay(**LOGIN | {"security": security}, script=script) as relay:
        report = verified(account_with(relay), seconds=1.0)
        took = time.monotonic() - begun

    assert outcomes(report) == _until(cut, "deadline")
    assert took < 3
    assert report.seconds < 2


def test_a_step_that_used_up_its_own_time_has_failed_and_was_not_cut() -> None:
    with Relay(**LOGIN, script={"connect": Hang()}) as relay:
        report = verified(account_with(relay, timeout_seconds=1), seconds=20)

    assert step(report, "connect").outcome == "failed"
    assert report.seconds < 3


def test_a_resolver_that_hangs_is_cut_too() -> None:
    def hang(_host: str, _port: int) -> list[str]:
        time.sleep(0.5)  # longer than the deadline, so that nobody may wait for it
        return []

    with Relay(**LOGIN) as relay:
        account = account_with(relay)
        egress = type(guard(account))("", resolve=hang)
        report = verified(account, egress=egress, seconds=0.2)

    assert outcomes(report) == _until("dns", "deadline")


def test_a_jwt_s_claims_are_shown_and_the_token_is_not() -> None:
    token = jwt.encode(
        {"aud": "https://outlook.office.com", "scp": "SMTP.Send", "roles": ["A"], "exp": 1795256400, "sub": "ana-1"},
        "k" * 32,
        algorithm="HS256",
    )
    with Relay(security="starttls", mechanisms=("XOAUTH2",), tokens={"ana": token}) as relay:
        credential = Credential(version="1", username="ana", token=token)
        report = verified(account_with(relay, auth="oauth2"), credential=credential)

    auth = step(report, "auth")
    assert auth.outcome == "passed"
    assert auth.details["token"] == {
        "audience": "https://outlook.office.com",
        "scope": "SMTP.Send",
        "roles": ["A"],
        "expires_at": "2026-11-21T10:20:00+00:00",
    }
    assert token not in report.model_dump_json()
    assert "ana-1" not in report.model_dump_json()


def test_a_token_that_is_no_jwt_shows_nothing() -> None:
    with Relay(security="starttls", mechanisms=("XOAUTH2",), tokens={"ana": "ya29.token"}) as relay:
        report = verified(account_with(relay, auth="oauth2"), credential=TOKEN)

    assert step(report, "auth").details == {"mechanism": "XOAUTH2", "token": {}}


def test_without_a_credential_the_relay_is_still_looked_at() -> None:
    def nothing(_: float) -> None:
        raise NoCredential(Reply(phase=Phase.SETTINGS, code=None, text="secret_missing"))

    with Relay(**LOGIN) as relay:
        account = account_with(relay)
        report = steps(guard(account))(account, nothing, deadline=time.monotonic() + 5)

    assert outcomes(report) == _until("auth")
    assert step(report, "auth").remedy_id == "secret-missing"
    assert not [line for line in relay.commands if line.startswith(("AUTH", "MAIL"))]


def test_without_a_credential_a_proxy_that_wants_to_know_who_we_are_is_not_asked() -> None:
    def nothing(_: float) -> None:
        raise NoCredential(Reply(phase=Phase.SETTINGS, code=None, text="token_missing"))

    with Relay(**LOGIN) as relay, Relay() as proxy:
        account = account_with(relay, proxy={"host": proxy.host, "port": proxy.port, "username": "bob"})
        egress = Egress(f"{relay.host}:{relay.port},{proxy.host}:{proxy.port}")
        report = steps(egress)(account, nothing, deadline=time.monotonic() + 5)

    assert report.failed_step == "auth"
    assert report.reply is not None
    assert report.reply.text == "token_missing"
    assert proxy.connections == 0


def test_a_secret_that_cannot_be_read_now_is_a_failure_of_auth() -> None:
    def later(_: float) -> None:
        raise TransientError("busy")

    with Relay(**LOGIN) as relay:
        account = account_with(relay)
        report = steps(guard(account))(account, later, deadline=time.monotonic() + 5)

    assert outcomes(report) == _until("auth")


def test_a_transport_that_is_not_there_yet_is_told_before_anybody_is_asked() -> None:
    with Relay(**LOGIN) as relay:
        report = verified(account_with(relay).model_copy(update={"transport": "graph"}))

    assert outcomes(report) == _until("settings")
    assert step(report, "settings").remedy_id == "transport-not-available"
    assert relay.connections == 0


def test_a_test_message_is_sent_once_and_answered_with_the_relay_s_reply() -> None:
    with Relay(**LOGIN) as relay:
        report = sent(account_with(relay), mail_to("bob@example.org"))

    assert report.passed
    assert report.reply is not None
    assert (report.reply.phase, report.reply.code) == ("data", 250)
    assert [one.name for one in report.steps][-1] == "data"
    assert len(relay.mails) == 1


@pytest.mark.parametrize(
    ("script", "failed", "code"),
    [
        ({"rcpt": Say("550 5.1.1 no such user")}, "rcpt", 550),
        ({"data": Say("554 5.7.1 no")}, "data", 554),
        ({"content": Say("554 5.7.1 spam")}, "data", 554),
        ({"content": Close()}, "data", None),
    ],
    ids=["recipient", "data", "content", "lost"],
)
def test_a_test_message_that_is_not_taken_fails_where_it_was_refused(
    script: dict[str, Action], failed: str, code: int | None
) -> None:
    with Relay(**LOGIN, script=script) as relay:
        report = sent(account_with(relay), mail_to("bob@example.org"))

    assert (report.passed, report.failed_step) == (False, failed)
    assert report.reply is not None
    assert report.reply.code == code
    assert report.remedy
    assert relay.mails == []


def test_a_message_that_cannot_be_composed_is_the_sender_s_fault() -> None:
    with Relay(**LOGIN) as relay:
        report = sent(account_with(relay), None)

    assert (report.failed_step, step(report, "settings").remedy_id) == ("settings", "sender-invalid")
    assert relay.connections == 0
