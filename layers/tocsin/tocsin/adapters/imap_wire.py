"""The octets between us and an IMAP server: each phase ends by a fixed time, and no server says more than it may."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tocsin.adapters.failures import Mishap, PhaseFailed, failing_in
from tocsin.adapters.time_limits import seconds_left
from tocsin.adapters.tls import failing_handshake
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    import socket
    import ssl

_MOST_OCTETS = 262_144  # all that a server may say before we are gone again
_BLOCK_OCTETS = 8_192


class ImapWire:
    """One connection. `begin` names the phase that all failures are of, and when it ends (monotonic seconds)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unread = bytearray()
        self._octets_left = _MOST_OCTETS
        self._phase = Phase.CONNECT
        self._until = time.monotonic()

    def begin(self, phase: Phase, until: float) -> None:
        """Go on with `phase`."""
        self._phase, self._until = phase, until

    def protect(self, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
        """Begin TLS with a server that must show a certificate for `host`.

        Raises:
            PhaseFailed: also where what the server said in clear text was not all read.
        """
        if self._unread:
            raise PhaseFailed.by(Phase.TLS, Mishap.DATA_AFTER_STARTTLS)
        with failing_handshake():
            self._connection.settimeout(seconds_left(self._until))
            protected = context.wrap_socket(self._connection, server_hostname=host)
        self._connection = protected
        return protected

    def read_line(self) -> bytes:
        """One line with its end.

        Raises:
            PhaseFailed: none comes, or too much.
        """
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            self._receive()
        return self._taken(end + 1)

    def read(self, size: int) -> bytes:
        """So many octets of a literal.

        Raises:
            PhaseFailed: they do not come, or are too many.
        """
        if size > self._octets_left + len(self._unread):
            raise PhaseFailed.by(self._phase, Mishap.REPLY_TOO_LONG)
        while len(self._unread) < size:
            self._receive()
        return self._taken(size)

    def send(self, octets: bytes) -> None:
        """Write them all.

        Raises:
            PhaseFailed: the time is over, or the connection.
        """
        with failing_in(self._phase):
            self._connection.settimeout(seconds_left(self._until))
            self._connection.sendall(octets)

    def close(self) -> None:
        """Close; it never fails."""
        with suppress(OSError):
            self._connection.close()

    def _taken(self, octets: int) -> bytes:
        taken = bytes(self._unread[:octets])
        del self._unread[:octets]
        return taken

    def _receive(self) -> None:
        with failing_in(self._phase):
            self._connection.settimeout(seconds_left(self._until))
            received = self._connection.recv(_BLOCK_OCTETS)
        if not received:
            raise PhaseFailed.by(self._phase, Mishap.CONNECTION_CLOSED)
        self._octets_left -= len(received)
        if self._octets_left < 0:
            raise PhaseFailed.by(self._phase, Mishap.REPLY_TOO_LONG)
        self._unread += received
