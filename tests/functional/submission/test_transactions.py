"""Mail transactions: what the relay is told, what it gets, and what its answers become."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tocsin.model.reply import Phase

from tests.functional.submission.kit import CONTENT, mail_to, session_with, submit
from tests.relay import ReceivedMail, Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.model.envelope import MailObject

TO_ANA, TO_BOB, TO_EVE = mail_to("ana@example.org"), mail_to("bob@example.org"), mail_to("eve@example.org")


def test_a_mail_arrives_with_its_envelope() -> None:
    with Relay() as relay:
        [reply] = submit(relay, [TO_BOB])

    assert relay.mails == [
        ReceivedMail("ops@acme.example", ("bob@example.org",), (f"SIZE={len(CONTENT)}",), CONTENT),
    ]
    assert reply.accepted
    assert (reply.phase, reply.code, reply.enhanced, reply.text) == (Phase.DATA, 250, "2.0.0", "2.0.0 queued")


def test_the_relay_is_greeted_by_the_name_that_is_set_or_the_senders_domain() -> None:
    with Relay() as relay:
        submit(relay)
        submit(relay, ehlo_hostname="mta.acme.example")

    assert [line for line in relay.commands if line.startswith("EHLO")] == [
        "EHLO acme.example",
        "EHLO mta.acme.example",
    ]


def test_a_name_that_would_break_the_greeting_is_never_sent() -> None:
    with Relay() as relay:
        [reply] = submit(relay, ehlo_hostname="x\r\nMAIL FROM:<a@example.org>")

    assert (reply.phase, reply.code, reply.text) == (Phase.EHLO, None, "bad EHLO name")
    assert relay.connections == 0


@pytest.mark.parametrize(
    ("content", "arrived"),
    [
        pytest.param(b"a\r\n.\r\nb\r\n..c\r\n.d\r\n", b"a\r\n.\r\nb\r\n..c\r\n.d\r\n", id="lines with dots"),
        pytest.param(b".\r\n", b".\r\n", id="a dot alone"),
        pytest.param(b"a\n.\nRCPT TO:<x>\n", b"a\r\n.\r\nRCPT TO:<x>\r\n", id="bare line feeds around a dot"),
        pytest.param(b"a\n.\r\nb\r\n.\nc", b"a\r\n.\r\nb\r\n.\r\nc\r\n", id="mixed line ends around a dot"),
        pytest.param(b"a\rb", b"a\r\nb\r\n", id="a bare CR, and no line end"),
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"x" * 998 + b"\r\n" + b"y" * 300_000, b"x" * 998 + b"\r\n" + b"y" * 300_000 + b"\r\n", id="long"),
        pytest.param("é\r\n".encode(), "é\r\n".encode(), id="octets above 127"),
    ],
)
def test_content_arrives_line_by_line_as_it_is(content: bytes, arrived: bytes) -> None:
    with Relay() as relay:
        [reply] = submit(relay, [mail_to("bob@example.org", content=content)])

    assert reply.accepted
    assert [mail.content for mail in relay.mails] == [arrived]


@pytest.mark.parametrize(
    ("step", "answer", "phase", "code", "enhanced"),
    [
        ("mail", "550 5.7.60 not you", Phase.MAIL, 550, "5.7.60"),
        ("mail", "451 4.3.0 later", Phase.MAIL, 451, "4.3.0"),
        ("rcpt", "550 5.1.1 who?", Phase.RCPT, 550, "5.1.1"),
        ("rcpt", "550 Unrouteable address", Phase.RCPT, 550, None),
        ("rcpt", "452 4.5.3 too many", Phase.RCPT, 452, "4.5.3"),
        ("data", "554 5.5.1 no", Phase.DATA, 554, "5.5.1"),
        ("data", "451 4.7.1 greylisted", Phase.DATA, 451, "4.7.1"),
        ("content", "554 5.6.0 bad content", Phase.DATA, 554, "5.6.0"),
        ("content", "452 4.3.1 no room", Phase.DATA, 452, "4.3.1"),
    ],
)
def test_a_refusal_is_the_reply_of_its_mail_and_the_next_one_goes_on(
    step: str, answer: str, phase: Phase, code: int, enhanced: str | None
) -> None:
    with Relay(script={step: [Say(answer)]}) as relay:
        refused, accepted = submit(relay, [TO_ANA, TO_BOB])

    assert (refused.phase, refused.code, refused.enhanced) == (phase, code, enhanced)
    assert refused.text == answer[4:]
    assert not refused.accepted
    assert accepted.accepted
    assert [mail.rcpt_to for mail in relay.mails] == [("bob@example.org",)]
    assert relay.connections == 1
    assert relay.commands.count("RSET") == 1


def test_one_recipient_of_three_is_refused_and_the_others_get_their_mail() -> None:
    with Relay(script={"rcpt bob@example.org": Say("550 5.1.1 who?")}) as relay:
        replies = submit(relay, [TO_ANA, TO_BOB, TO_EVE])

    assert [reply.accepted for reply in replies] == [True, False, True]
    assert [mail.rcpt_to for mail in relay.mails] == [("ana@example.org",), ("eve@example.org",)]
    assert relay.commands.count("DATA") == 2


def test_a_reply_of_several_lines_is_kept_whole() -> None:
    with Relay(script={"rcpt": Say("550-5.7.1 first\n550-5.7.1 second\n550 5.7.1 third", split=True)}) as relay:
        [reply] = submit(relay)

    assert reply.text == "5.7.1 first\n5.7.1 second\n5.7.1 third"
    assert (reply.code, reply.enhanced) == (550, "5.7.1")


def test_a_session_whose_rset_fails_is_left_for_a_new_one() -> None:
    with Relay(script={"rcpt": [Say("550 5.1.1 who?")], "rset": Say("500 5.5.1 what?")}) as relay:
        refused, accepted = submit(relay, [TO_ANA, TO_BOB])

    assert (refused.accepted, accepted.accepted) == (False, True)
    assert relay.connections == 2


def test_a_mail_above_the_relays_limit_is_not_offered_to_it() -> None:
    with Relay(offers=["SIZE 100"]) as relay:
        large, small = submit(relay, [mail_to("bob@example.org", content=b"x" * 101), TO_ANA])

    assert (large.phase, large.code) == (Phase.MAIL, None)
    assert large.text == "message is larger than the relay's SIZE limit of 100"
    assert small.accepted
    assert "RSET" not in relay.commands


@pytest.mark.parametrize(
    ("offers", "rcpt_to", "content", "parameters"),
    [
        pytest.param((), "bob@example.org", CONTENT, (), id="nothing is offered"),
        pytest.param(("SIZE",), "bob@example.org", b"1\n2", ("SIZE=6",), id="the size as it goes over the wire"),
        pytest.param(("8BITMIME",), "bob@example.org", b"\xe9\r\n", ("BODY=8BITMIME",), id="octets above 127"),
        pytest.param(("8BITMIME",), "bob@example.org", CONTENT, (), id="seven bits need no 8BITMIME"),
        pytest.param(("SMTPUTF8",), "bob@example.org", CONTENT, (), id="an ASCII address needs no SMTPUTF8"),
        pytest.param(("SMTPUTF8",), "jörg@example.org", CONTENT, ("SMTPUTF8",), id="another address does"),
    ],
)
def test_mail_names_only_the_extensions_it_needs_and_the_relay_offers(
    offers: tuple[str, ...], rcpt_to: str, content: bytes, parameters: tuple[str, ...]
) -> None:
    with Relay(offers=offers) as relay:
        [reply] = submit(relay, [mail_to(rcpt_to, content=content)])

    assert reply.accepted
    assert [(mail.rcpt_to, mail.parameters) for mail in relay.mails] == [((rcpt_to,), parameters)]


def test_an_address_that_needs_smtputf8_is_refused_where_the_relay_does_not_offer_it() -> None:
    with Relay(offers=()) as relay:
        refused, accepted = submit(relay, [mail_to("jörg@example.org"), TO_BOB])

    assert (refused.phase, refused.code, refused.text) == (Phase.RCPT, None, "the relay does not offer SMTPUTF8")
    assert accepted.accepted


def test_an_address_that_could_break_a_command_reaches_no_relay() -> None:
    broken = replace(TO_BOB, envelope=replace(TO_BOB.envelope, rcpt_to="a@example.org>\r\nRCPT TO:<b@example.org"))
    with Relay() as relay:
        [reply] = submit(relay, [broken])

    assert (reply.phase, reply.code) == (Phase.COMPOSE, None)
    assert relay.connections == 0


def test_an_ancient_relay_is_greeted_by_helo() -> None:
    with Relay(script={"ehlo": Say("500 what?")}) as relay:
        [reply] = submit(relay)

    assert reply.accepted
    assert "HELO acme.example" in relay.commands


def test_mails_are_taken_one_by_one_as_their_replies_are_asked_for() -> None:
    taken: list[str] = []

    def mails() -> Iterator[MailObject]:
        for mail in (TO_ANA, TO_BOB):
            taken.append(mail.envelope.rcpt_to)
            yield mail

    with Relay() as relay, session_with(relay) as submission:
        replies = submission.submit(mails(), deadline=time.monotonic() + 5)
        assert taken == []
        next(replies)
        assert taken == ["ana@example.org"]
        assert relay.connections == 1
