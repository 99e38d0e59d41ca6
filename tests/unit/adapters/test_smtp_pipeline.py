"""The pipeline where writing fails: which mail is in doubt, which is lost, and what is still read."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest
from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.smtp_channel import SmtpChannel
from tocsin.adapters.smtp_extensions import Extensions
from tocsin.adapters.smtp_pipeline import Pipeline
from tocsin.adapters.smtp_session import Session
from tocsin.adapters.time_limits import TimeLimits
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = b"Subject: x\r\n\r\nx\r\n"
RECORD = 16_384
WHOLE = len(CONTENT) + len(b".\r\n")
GO_AHEAD = b"250 flushed\r\n250 sender\r\n250 recipient\r\n354 go\r\n"


class TornChannel(SmtpChannel):
    """A channel that is lost in its second write, behind `octets` of it; then the relay's last words are there."""

    def __init__(self, connection: socket.socket, *, octets: int, lose: Callable[[], None]) -> None:
        super().__init__(connection)
        self._octets = octets
        self._lose = lose
        self._writes = 0

    def write(self, octets: bytes, *, phase: Phase, until: float) -> None:
        self._writes += 1
        if self._writes == 1:
            super().write(octets, phase=phase, until=until)
            return
        super().write(octets[: self._octets], phase=phase, until=until)
        self.unwritten = len(octets) - self._octets
        self.usable = False
        self._lose()
        raise PhaseFailed.by(phase, Mishap.CONNECTION_CLOSED)


class StalledTls:
    """A connection by TLS to a relay that reads no more, and has room for so many `records`.

    OpenSSL writes records of 16,384 octets at most. A `send` that has not written all of its own fails as a whole.
    """

    def __init__(self, connection: socket.socket, *, records: int) -> None:
        self._connection = connection
        self._records_left = records

    def settimeout(self, seconds: float) -> None:
        self._connection.settimeout(seconds)

    def recv(self, octets: int) -> bytes:
        return self._connection.recv(octets)

    def send(self, octets: memoryview) -> int:
        for at in range(0, len(octets), RECORD):
            if self._records_left == 0:
                raise TimeoutError
            self._connection.sendall(octets[at : at + RECORD])
            self._records_left -= 1
        return len(octets)


def mail_to(rcpt_to: str, *, content: bytes = CONTENT) -> MailObject:
    return MailObject(envelope=Envelope(mail_from="ops@acme.example", rcpt_to=rcpt_to), content=content)


def submit_torn(*, octets: int, last_words: bytes) -> Reply:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):

        def lose() -> None:
            theirs.sendall(last_words)
            theirs.shutdown(socket.SHUT_RDWR)

        theirs.sendall(GO_AHEAD)
        return submit_over(TornChannel(ours, octets=octets, lose=lose), mail_to("ana@example.org"))


def submit_over(channel: SmtpChannel, mail: MailObject) -> Reply:
    """Submit the mail with another one behind it."""
    opened_by = Reply(phase=Phase.AUTH, code=235, text="welcome")
    session = Session(channel=channel, extensions=Extensions({"PIPELINING": ()}), reply=opened_by)
    pipeline = Pipeline(session, on_misbehaviour=lambda: None)
    limits = TimeLimits(phase_seconds=5, deadline=time.monotonic() + 5)
    following = mail_to("bob@example.org")
    try:
        return pipeline.submit(mail, following=lambda: following, limits=limits)
    except PhaseFailed as failure:
        return failure.reply
    finally:
        assert not pipeline.has_begun


@pytest.mark.parametrize(
    ("octets", "last_words", "phase", "code"),
    [
        pytest.param(WHOLE - 1, b"", Phase.DATA, None, id="lost before the dot was out"),
        pytest.param(WHOLE - 1, b"552 too big\r\n", Phase.DATA, 552, id="refused before the dot was out"),
        pytest.param(WHOLE, b"", Phase.AFTER_DATA, None, id="in doubt once the dot is out"),
        pytest.param(WHOLE + 9, b"", Phase.AFTER_DATA, None, id="in doubt though the next group was torn"),
        pytest.param(WHOLE + 9, b"250 queued\r\n", Phase.DATA, 250, id="accepted though the next group was torn"),
        pytest.param(WHOLE, b"451 later\r\n", Phase.DATA, 451, id="refused though the next group was torn"),
    ],
)
def test_a_write_that_fails_puts_a_mail_in_doubt_only_if_its_content_was_whole(
    octets: int, last_words: bytes, phase: Phase, code: int | None
) -> None:
    reply = submit_torn(octets=octets, last_words=last_words)

    assert (reply.phase, reply.code) == (phase, code)


@pytest.mark.parametrize(
    ("records", "phase"),
    [
        pytest.param(1 + 2, Phase.DATA, id="the record of the dot was not written"),
        pytest.param(1 + 3, Phase.AFTER_DATA, id="only the record of the next group was not written"),
    ],
)
def test_a_mail_is_in_doubt_once_the_tls_record_of_its_dot_is_written(records: int, phase: Phase) -> None:
    content = (b"x" * 62 + b"\r\n") * (3 * RECORD // 64)
    content = content[: -len(b"\r\n.\r\n")] + b"\r\n"  # so that a record ends with the dot
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        theirs.sendall(GO_AHEAD)
        stalled = cast("socket.socket", StalledTls(ours, records=records))
        reply = submit_over(SmtpChannel(stalled), mail_to("ana@example.org", content=content))

    assert (reply.phase, reply.code, reply.text) == (phase, None, "timed out")
