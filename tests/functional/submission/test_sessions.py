"""Sessions: when one is kept, when it is left, and when another is opened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import pytest
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, mail_to, session_with, submit
from tests.relay import Close, Hang, Relay, Say

if TYPE_CHECKING:
    from tocsin.adapters.submission import Submission
    from tocsin.model.reply import Reply

    from tests.relay.actions import Action

TO_ANA, TO_BOB = mail_to("ana@example.org"), mail_to("bob@example.org")


def one(submission: Submission) -> Reply:
    [reply] = submission.submit([TO_ANA], deadline=time.monotonic() + 5)
    return reply


def test_mails_of_one_call_and_of_several_share_a_session() -> None:
    relay = Relay(security="starttls", mechanisms=["PLAIN"], passwords={"ana": "hunter2"})
    with relay, session_with(relay, PASSWORD) as submission:
        replies = [*submission.submit([TO_ANA, TO_BOB], deadline=time.monotonic() + 5), one(submission)]

    assert all(reply.accepted for reply in replies)
    assert len(relay.mails) == 3
    assert relay.connections == 1


def test_nothing_is_opened_without_a_mail() -> None:
    with Relay() as relay:
        assert submit(relay, []) == []

    assert relay.connections == 0


@pytest.mark.parametrize("security", ["none", "tls"])
@pytest.mark.parametrize(
    "farewell",
    [
        pytest.param(Say("250 2.0.0 queued\n421 4.4.2 idle for too long", then_close=True), id="a 421"),
        pytest.param(Say("250 2.0.0 queued", then_close=True), id="no word"),
    ],
)
def test_a_session_that_the_relay_closed_between_mails_is_opened_again(
    security: Literal["none", "tls"], farewell: Action
) -> None:
    with Relay(security=security, script={"content": [farewell]}) as relay:
        replies = submit(relay, [TO_ANA, TO_BOB])

    assert [reply.accepted for reply in replies] == [True, True]
    assert relay.connections == 2


def test_a_session_that_closes_just_as_the_next_mail_begins_is_opened_again() -> None:
    with Relay(script={"mail": [Say("250 ok"), Close()]}) as relay:
        replies = submit(relay, [TO_ANA, TO_BOB])

    assert [reply.accepted for reply in replies] == [True, True]
    assert relay.connections == 2


def test_a_new_session_that_closes_at_once_is_not_opened_again() -> None:
    with Relay(script={"mail": Close()}) as relay:
        [reply] = submit(relay)

    assert (reply.phase, reply.code, reply.text) == (Phase.MAIL, None, "connection closed")
    assert relay.connections == 1


@pytest.mark.parametrize(
    ("step", "phase"),
    [
        ("connect", Phase.CONNECT),
        ("ehlo", Phase.EHLO),
        ("mail", Phase.MAIL),
        ("rcpt", Phase.RCPT),
        ("data", Phase.DATA),
        ("content", Phase.DATA),
    ],
)
def test_a_421_is_the_mails_reply_and_ends_the_session(step: str, phase: Phase) -> None:
    with Relay(script={step: [Say("421 4.3.2 going down")]}) as relay:
        refused, accepted = submit(relay, [TO_ANA, TO_BOB])

    assert (refused.phase, refused.code, refused.enhanced) == (phase, 421, "4.3.2")
    assert accepted.accepted
    assert relay.connections == 2
    assert relay.commands.count("QUIT") == 1


def test_a_session_that_was_too_slow_is_never_used_again() -> None:
    with Relay(script={"rcpt": [Hang()]}) as relay, session_with(relay, timeout_seconds=1) as submission:
        assert one(submission).text == "timed out"
        assert one(submission).accepted

    assert relay.connections == 2


@pytest.mark.parametrize("action", [Close(), Say("500 no"), Say("garbage"), Say("421 x", then_close=True)], ids=repr)
def test_nothing_after_the_last_reply_changes_it(action: Action) -> None:
    with Relay(script={"quit": action}) as relay:
        [reply] = submit(relay)

    assert reply.accepted


def test_closing_never_takes_long() -> None:
    with Relay(script={"quit": Hang()}) as relay, session_with(relay) as submission:
        assert one(submission).accepted
        begun = time.monotonic()
        submission.close()

        assert time.monotonic() - begun < 2


def test_closing_twice_or_unopened_does_nothing() -> None:
    with Relay() as relay:
        submission = session_with(relay)
        submission.close()
        assert one(submission).accepted
        submission.close()
        submission.close()

    assert relay.commands.count("QUIT") == 1


def test_a_failed_login_takes_leave() -> None:
    with Relay(security="tls", mechanisms=["PLAIN"]) as relay:
        submit(relay, credential=PASSWORD)

    assert relay.commands[-1] == "QUIT"


@pytest.mark.parametrize("step", ["connect", "ehlo"])
@pytest.mark.parametrize("answer", ["554 5.7.1 not you", "451 4.3.0 later"])
def test_a_relay_that_does_not_want_us_says_so_in_its_own_words(step: str, answer: str) -> None:
    with Relay(security="tls", script={step: Say(answer)}) as relay:
        [reply] = submit(relay)

    assert reply.phase is (Phase.CONNECT if step == "connect" else Phase.EHLO)
    assert (reply.code, reply.text) == (int(answer[:3]), answer[4:])
    assert not any(line.startswith("HELO") for line in relay.commands)
