"""Envelopes that no command may carry are refused before anything is sent."""

from __future__ import annotations

import pytest
from tocsin.adapters.smtp_transaction import unsendable
from tocsin.model.envelope import Envelope
from tocsin.model.reply import Phase

GOOD = "ops@example.org"


@pytest.mark.parametrize(
    ("address", "smtputf8"),
    [
        (GOOD, False),
        ('"a b"@example.org', False),
        ('"a\\"b>@"@example.org', False),
        ("o'hara+tag@example.org", False),
        ("jörg@example.org", True),
    ],
)
def test_an_address_that_commands_can_carry_is_sendable(address: str, *, smtputf8: bool) -> None:
    assert unsendable(Envelope(mail_from=GOOD, rcpt_to=address, smtputf8=smtputf8)) is None


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("a@example.org>\r\nRCPT TO:<b@example.org", id="a second command"),
        pytest.param("a\r@example.org", id="CR"),
        pytest.param("a\n@example.org", id="LF"),
        pytest.param("a@example.org\n", id="LF at the end"),
        pytest.param("a\0@example.org", id="NUL"),
        pytest.param("a b@example.org", id="a space"),
        pytest.param('"a\r\n"@example.org', id="CR LF in quotes"),
        pytest.param('"a"b"@example.org', id="a quote in quotes"),
        pytest.param("a@example.org> SIZE=1", id="a parameter"),
        pytest.param("a>b@example.org", id="an angle bracket"),
        pytest.param("a@b@example.org", id="two at signs"),
        pytest.param("a@exämple.org", id="a domain that is no A-label"),
        pytest.param("a\ud800@example.org", id="a surrogate"),
        pytest.param("example.org", id="no local part"),
        pytest.param("", id="nothing"),
    ],
)
@pytest.mark.parametrize("smtputf8", [False, True])
def test_an_address_that_could_break_a_command_is_refused(address: str, *, smtputf8: bool) -> None:
    for envelope in (
        Envelope(mail_from=address, rcpt_to=GOOD, smtputf8=smtputf8),
        Envelope(mail_from=GOOD, rcpt_to=address, smtputf8=smtputf8),
    ):
        reply = unsendable(envelope)
        assert reply is not None
        assert (reply.phase, reply.code) == (Phase.COMPOSE, None)
        assert reply.text.startswith("bad address")


def test_an_address_that_is_not_ascii_needs_smtputf8() -> None:
    reply = unsendable(Envelope(mail_from=GOOD, rcpt_to="jörg@example.org"))

    assert reply is not None
    assert reply.text == "bad address: it is not ASCII, and SMTPUTF8 is not asked for"
