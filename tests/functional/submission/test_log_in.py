"""Logging in without a mail: the last reply, whatever it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, TOKEN, mail_to, session_with
from tests.relay import Relay, Say, Script

if TYPE_CHECKING:
    from tocsin.model.credential import Credential


@pytest.mark.parametrize(
    ("credential", "script", "phase", "code"),
    [
        (None, {}, Phase.EHLO, 250),
        (PASSWORD, {}, Phase.AUTH, 235),
        (TOKEN, {}, Phase.AUTH, 235),
        (PASSWORD, {"auth": Say("535 5.7.8 no")}, Phase.AUTH, 535),
        (PASSWORD, {"ehlo": Say("421 4.3.2 later")}, Phase.EHLO, 421),
        (PASSWORD, {"connect": Say("554 5.3.2 never")}, Phase.CONNECT, 554),
    ],
    ids=["nobody", "password", "token", "refused", "busy", "closed"],
)
def test_the_last_reply_tells_how_far_it_came(
    credential: Credential | None, script: Script, phase: Phase, code: int
) -> None:
    with (
        Relay(
            script=script,
            security="starttls",
            mechanisms=("PLAIN", "XOAUTH2"),
            passwords={"ana": "hunter2"},
            tokens={"ana": "ya29.token"},
        ) as relay,
        session_with(relay, credential) as session,
    ):
        reply = session.log_in(deadline=time.monotonic() + 5)

    assert (reply.phase, reply.code) == (phase, code)
    assert not relay.mails


def test_what_is_logged_in_can_submit() -> None:
    with (
        Relay(security="starttls", mechanisms=("PLAIN",), passwords={"ana": "hunter2"}) as relay,
        session_with(relay, PASSWORD) as session,
    ):
        session.log_in(deadline=time.monotonic() + 5)
        [reply] = session.submit([mail_to("bob@example.org")], deadline=time.monotonic() + 5)

    assert reply.accepted
    assert relay.connections == 1


def test_no_time_left_is_a_reply_too() -> None:
    with Relay(security="starttls") as relay, session_with(relay) as session:
        assert session.log_in(deadline=time.monotonic() - 1).code is None
