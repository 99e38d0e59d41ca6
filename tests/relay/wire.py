"""One connection of the relay: lines in, replies out, and the actions that spoil them."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from tests.relay.actions import Close, Flood, Hang, Say, Trickle

if TYPE_CHECKING:
    import ssl
    from threading import Event

    from tests.relay.actions import Action
    from tests.relay.record import Record


_HANDSHAKE_SECONDS = 5.0


class Gone(Exception):
    """The connection is over."""


class Wire:
    """A connection to one client; every method raises `Gone` where it is over."""

    def __init__(self, connection: socket.socket, *, record: Record, stopped: Event) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._unread = bytearray()
        self._record = record
        self._stopped = stopped
        self.is_clear = True

    def act(self, action: Action) -> None:
        """Do what a script says."""
        match action:
            case Say():
                self._say(action)
            case Hang():
                self._stopped.wait()
                raise Gone
            case Close():
                raise Gone
            case Trickle():
                self._trickle(action)
            case Flood():
                self._flood(action)
            case _:
                assert_never(action)

    def line(self) -> bytes:
        """One line without its CRLF."""
        return self._until(b"\r\n")

    def content(self) -> bytes:
        """What stands behind DATA, without dot-stuffing and final dot."""
        first = self.line()
        if first == b".":
            return b""
        self._unread[:0] = first + b"\r\n"
        lines = b"\r\n" + self._until(b"\r\n.\r\n") + b"\r\n"
        return lines.replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")

    @property
    def ahead(self) -> bytes:
        """What has come and was not read."""
        return bytes(self._unread)

    def forget_ahead(self) -> None:
        """Lose what has come and was not read, as a server does that knows no pipelining."""
        self._unread.clear()

    def protect(self, context: ssl.SSLContext) -> None:
        """Begin TLS."""
        self._connection.settimeout(_HANDSHAKE_SECONDS)  # `stop` cannot reach a socket in its handshake
        try:
            self._connection = context.wrap_socket(self._connection, server_side=True)
        except OSError as error:
            raise Gone from error
        self._connection.settimeout(None)
        self.is_clear = False

    def stop(self) -> None:
        """End the connection from another thread."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close, so that the client sees the end and not a reset."""
        self.stop()
        self._connection.close()

    def _say(self, action: Say) -> None:
        octets = _wire_form(action.text)
        for part in [octets[at : at + 1] for at in range(len(octets))] if action.split else [octets]:
            self._write(part)
        if action.then_hang:
            self._stopped.wait()
        if action.then_close or action.then_hang:
            raise Gone

    def _trickle(self, action: Trickle) -> None:
        octets = _wire_form(action.text)
        for at in range(len(octets)):
            self._write(octets[at : at + 1])
            if self._stopped.wait(action.seconds):
                raise Gone

    def _flood(self, action: Flood) -> None:
        line = b"250-" + b"a" * (76 if action.one_line else 74) + (b"" if action.one_line else b"\r\n")
        for _ in range(action.octets // len(line)):
            self._write(line)

    def _write(self, octets: bytes) -> None:
        try:
            self._connection.sendall(octets)
        except OSError as error:
            raise Gone from error

    def _until(self, end: bytes) -> bytes:
        searched = 0
        while (at := self._unread.find(end, searched)) < 0:
            searched = max(0, len(self._unread) - len(end))
            self._unread += self._received()
        found = bytes(self._unread[:at])
        del self._unread[: at + len(end)]
        return found

    def _received(self) -> bytes:
        try:
            octets = self._connection.recv(65_536)
        except OSError as error:
            raise Gone from error
        if not octets:
            raise Gone
        if self.is_clear:
            self._record.clear_octets += octets
        return octets


def _wire_form(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode() + b"\r\n"
