"""The octets between us and a relay: whole commands out, whole replies in, each by a fixed time."""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tocsin.adapters.failures import Mishap, PhaseFailed, failure_in
from tocsin.adapters.smtp_reply import ReplyLine, assemble
from tocsin.adapters.time_limits import seconds_left
from tocsin.adapters.tls import described, failing_handshake
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    import socket
    from collections.abc import Container

    from tocsin.model.reply import Reply

_REPLY_OCTETS = 65_536
_BLOCK_OCTETS = 65_536
_RECORD_OCTETS = 16_384  # a TLS record: of a longer block that fails nobody knows which of its records were written
_QUIT_SECONDS = 1.0
_LAST_WORDS_SECONDS = 0.2  # they have arrived already, or never will
_CLOSING = 421
_REFUSALS = {4, 5}


class SmtpChannel:
    """One connection.

    `usable` is false once it was lost, was too slow, broke the protocol or was closed by a 421. `unwritten` is how many
    octets of the last write were not handed over.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unread = bytearray()
        self.usable = True
        self.unwritten = 0

    def command(self, line: str, *, phase: Phase, until: float, wanted: Container[int] = (2,)) -> Reply:
        """Send one command line and read its reply.

        `wanted` holds the first digits that let the session go on; the reply has one of them, or is a refusal.

        Raises:
            PhaseFailed: there is no such reply.
        """
        self.write(line.encode() + b"\r\n", phase=phase, until=until)
        return self.read_reply(phase=phase, until=until, wanted=wanted)

    def write(self, octets: bytes, *, phase: Phase, until: float) -> None:
        """Hand all octets to the network.

        Raises:
            PhaseFailed: not all of them are handed over.
        """
        self.unwritten = len(octets)
        with self._giving_up(phase):
            if self._unread:
                raise PhaseFailed.by(phase, Mishap.UNEXPECTED_REPLY, "it came before its command")
            self._write_blocks(octets, until)

    def read_reply(self, *, phase: Phase, until: float, wanted: Container[int] = (2,)) -> Reply:
        """Read one whole reply; see `command`."""
        with self._giving_up(phase):
            reply = assemble(tuple(self._read_lines(phase, until)), phase)
            if reply is None:
                raise PhaseFailed.by(phase, Mishap.MALFORMED_REPLY, "its lines have different codes")
            _require(reply, wanted)
        self.usable = self.usable and reply.code != _CLOSING
        return reply

    def last_words(self, phase: Phase, *, wanted: Container[int] = ()) -> Reply | None:
        """The refusal, or the wanted reply, that a relay sent before it stopped reading, if there is one."""
        with suppress(PhaseFailed):
            return self.read_reply(phase=phase, until=time.monotonic() + _LAST_WORDS_SECONDS, wanted=wanted)
        return None

    def is_silent(self) -> bool:
        """Whether the relay has neither closed the connection nor said something that nobody asked for."""
        if self._unread:
            return False
        self._connection.settimeout(0)
        try:
            self._unread += self._connection.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def start_tls(self, context: ssl.SSLContext, host: str, *, until: float) -> None:
        """Protect the connection, which must show a certificate for `host`.

        Raises:
            PhaseFailed: in phase tls; also where what the relay said in clear text was not all read.
        """
        with self._giving_up(Phase.TLS), failing_handshake():
            if self._unread:
                raise PhaseFailed.by(Phase.TLS, Mishap.DATA_AFTER_STARTTLS)
            self._connection.settimeout(seconds_left(until))
            self._connection = context.wrap_socket(self._connection, server_hostname=host)

    def protection(self) -> dict[str, Any]:
        """What TLS was agreed on, and with whom; nothing on a clear connection."""
        return described(self._connection) if isinstance(self._connection, ssl.SSLSocket) else {}

    def quit(self) -> None:
        """Take leave if the relay still listens, and close; it takes a second at most and never fails."""
        if self.usable:
            with suppress(PhaseFailed):
                self.command("QUIT", phase=Phase.AFTER_DATA, until=time.monotonic() + _QUIT_SECONDS)
        self.drop()

    def drop(self) -> None:
        """Close without a word; it never fails."""
        self.usable = False
        with suppress(OSError):
            self._connection.close()

    def _giving_up(self, phase: Phase) -> _GivingUp:
        return _GivingUp(self, phase)

    def _write_blocks(self, octets: bytes, until: float) -> None:
        left = memoryview(octets)
        while left:
            self._connection.settimeout(seconds_left(until))
            left = left[self._connection.send(left[:_RECORD_OCTETS]) :]
            self.unwritten = len(left)

    def _read_lines(self, phase: Phase, until: float) -> list[ReplyLine]:
        octets_left = _REPLY_OCTETS
        lines: list[ReplyLine] = []
        while not lines or not lines[-1].is_last:
            octets = self._read_line(octets_left, phase, until)
            octets_left -= len(octets)
            line = ReplyLine.parse(octets)
            if line is None:
                raise PhaseFailed.by(phase, Mishap.MALFORMED_REPLY, "a line has no code")
            lines.append(line)
        return lines

    def _read_line(self, octets_left: int, phase: Phase, until: float) -> bytes:
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0 and len(self._unread) < octets_left:
            searched = len(self._unread)
            self._unread += self._received(until)
        if not 0 <= end < octets_left:
            raise PhaseFailed.by(phase, Mishap.REPLY_TOO_LONG)
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        return line

    def _received(self, until: float) -> bytes:
        self._connection.settimeout(seconds_left(until))
        octets = self._connection.recv(_BLOCK_OCTETS)
        if not octets:
            raise ConnectionResetError
        return octets


class _GivingUp:
    """Whatever fails within leaves the channel unusable. A class, since a generator takes thrice the time.

    Raises:
        PhaseFailed: for all that goes wrong.
    """

    __slots__ = ("_channel", "_phase")

    def __init__(self, channel: SmtpChannel, phase: Phase) -> None:
        self._channel = channel
        self._phase = phase

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PhaseFailed):
            self._channel.usable = False
        elif isinstance(error, OSError):
            self._channel.usable = False
            raise failure_in(self._phase, error) from error


def _require(reply: Reply, wanted: Container[int]) -> None:
    digit = (reply.code or 0) // 100
    if digit not in wanted and digit not in _REFUSALS:
        raise PhaseFailed.by(reply.phase, Mishap.UNEXPECTED_REPLY, str(reply.code))
