"""Relays that hang, close, crawl, flood or talk nonsense, at every phase."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, mail_to, session_with, submit
from tests.relay import Close, Flood, Hang, Relay, Say, Trickle

if TYPE_CHECKING:
    from tocsin.model.reply import Reply

    from tests.relay.actions import Action

PHASES = {
    "connect": Phase.CONNECT,
    "ehlo": Phase.EHLO,
    "starttls": Phase.TLS,
    "auth": Phase.AUTH,
    "mail": Phase.MAIL,
    "rcpt": Phase.RCPT,
    "data": Phase.DATA,
    "content": Phase.AFTER_DATA,
}
AT_EVERY_STEP = pytest.mark.parametrize(("step", "phase"), PHASES.items())


def relay_that(step: str, action: Action) -> Relay:
    return Relay(security="starttls", mechanisms=["PLAIN"], passwords={"ana": "hunter2"}, script={step: action})


@pytest.mark.parametrize(
    "action",
    [pytest.param(Hang(), id="hang"), pytest.param(Trickle("250 a reply that comes in much too slowly"), id="crawl")],
)
def test_a_relay_that_is_too_slow_holds_us_no_longer_than_the_limit_of_a_phase(action: Action) -> None:
    steps = {**PHASES, "tls": Phase.TLS} if action == Hang() else PHASES
    begun = time.monotonic()
    with ThreadPoolExecutor(len(steps)) as threads:  # side by side, because each waits for its limit
        replies = dict(zip(steps, threads.map(lambda step: reply_where(step, action), steps), strict=True))
    took = time.monotonic() - begun

    assert {step: (reply.phase, reply.code, reply.text) for step, reply in replies.items()} == {
        step: (phase, None, "timed out") for step, phase in steps.items()
    }
    assert 0.9 < took < 10


def reply_where(step: str, action: Action) -> Reply:
    with relay_that(step, action) as relay:
        [reply] = submit(relay, credential=PASSWORD, timeout_seconds=1, seconds=60)
    assert relay.mails == []
    return reply


def test_a_deadline_that_has_passed_connects_to_nobody() -> None:
    with Relay() as relay:
        [reply] = submit(relay, seconds=-1)

    assert (reply.code, reply.text) == (None, "temporary DNS failure: timed out")
    assert relay.connections == 0


@AT_EVERY_STEP
def test_a_relay_that_closes_the_connection_is_told_by_its_phase(step: str, phase: Phase) -> None:
    with relay_that(step, Close()) as relay:
        [reply] = submit(relay, credential=PASSWORD)

    assert (reply.phase, reply.code, reply.text) == (phase, None, "connection closed")
    assert relay.mails == []


@AT_EVERY_STEP
@pytest.mark.parametrize(
    ("action", "text"),
    [
        pytest.param(Flood(), "reply too long", id="lines without end"),
        pytest.param(Flood(one_line=True), "reply too long", id="a line without end"),
        pytest.param(Say("nonsense"), "malformed reply: a line has no code", id="no code"),
        pytest.param(
            Say("250-one\n550 two"), "malformed reply: its lines have different codes", id="two codes in one reply"
        ),
    ],
)
def test_a_reply_that_is_none_ends_the_session(step: str, phase: Phase, action: Action, text: str) -> None:
    with relay_that(step, action) as relay:
        [reply] = submit(relay, credential=PASSWORD)

    assert (reply.phase, reply.code, reply.text) == (phase, None, text)
    assert relay.commands.count("QUIT") == 0


@pytest.mark.parametrize(
    ("step", "answer", "phase"),
    [
        pytest.param("data", "250 2.0.0 queued", Phase.DATA, id="a 250 to DATA accepts nothing"),
        pytest.param("mail", "354 go", Phase.MAIL, id="a 354 to MAIL"),
        pytest.param("rcpt", "334 ", Phase.RCPT, id="a 334 to RCPT"),
        pytest.param("content", "354 go", Phase.AFTER_DATA, id="a 354 to the final dot"),
    ],
)
def test_a_reply_of_the_wrong_kind_ends_the_session_and_accepts_nothing(step: str, answer: str, phase: Phase) -> None:
    with Relay(script={step: Say(answer)}) as relay:
        [reply] = submit(relay)

    assert (reply.phase, reply.code, reply.text) == (phase, None, f"unexpected reply: {answer[:3]}")
    assert not reply.accepted


def test_a_reply_too_many_is_never_taken_for_the_next_commands() -> None:
    with Relay(script={"mail": [Say("250 ok\n250 ok\n354 go\n250 queued")]}) as relay:
        first, second = submit(relay, [mail_to("a@example.org"), mail_to("b@example.org")])

    assert (first.phase, first.code) == (Phase.RCPT, None)
    assert first.text.startswith("unexpected reply")
    assert second.accepted
    assert [mail.rcpt_to for mail in relay.mails] == [("b@example.org",)]


def test_a_mail_lost_after_its_content_is_in_doubt_and_arrived_once() -> None:
    with Relay(script={"content": [Close()]}) as relay:
        lost, accepted = submit(relay, [mail_to("a@example.org"), mail_to("b@example.org")])

    assert (lost.phase, lost.code) == (Phase.AFTER_DATA, None)
    assert accepted.accepted
    assert len(relay.contents) == 2


LARGE = mail_to("a@example.org", content=b"x" * 20_000_000)


@pytest.mark.parametrize(
    ("action", "codes"),
    [
        pytest.param(Say("354 go", then_close=True), {None}, id="without a word"),
        pytest.param(Say("354 go\n552 5.3.4 too big", then_close=True), {None, 552}, id="with a refusal"),
    ],
)
def test_a_mail_lost_while_it_is_written_is_not_in_doubt(action: Action, codes: set[int | None]) -> None:
    with Relay(script={"data": action}, offers=()) as relay:
        [reply] = submit(relay, [LARGE])

    assert reply.phase is Phase.DATA
    assert reply.code in codes
    assert not reply.accepted
    assert relay.contents == []


def test_a_relay_that_stops_reading_holds_us_no_longer_than_the_limit() -> None:
    with Relay(script={"data": Say("354 go", then_hang=True)}, offers=()) as relay:
        begun = time.monotonic()
        with session_with(relay) as submission:
            [reply] = submission.submit([LARGE], deadline=time.monotonic() + 0.5)

    assert (reply.phase, reply.code, reply.text) == (Phase.DATA, None, "timed out")
    assert time.monotonic() - begun < 5
