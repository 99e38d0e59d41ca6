"""A delay line: a program of its own that carries TCP connections to a port of this machine as a long wire would.

It takes the port and the round trip in milliseconds, and prints its own port. Octets keep their order and arrive half a
round trip after they were sent, in both directions.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK_OCTETS = 65_536


@dataclass(eq=False, slots=True)
class _End:
    """One of a connection's two sockets, and the other."""

    stream: socket.socket
    other: _End = field(init=False)
    is_ended: bool = False  # it has nothing more to say


class _DelayLine:
    def __init__(self, target: int, round_trip: float) -> None:
        self._target = target
        self._trip = round_trip / 2
        self._selector = selectors.SelectSelector()  # its time limits are exact to the microsecond, epoll's to 1 ms
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.port: int = self._listener.getsockname()[1]

    def carry(self) -> None:
        """Carry until the process ends."""
        while True:
            wait = max(self._due[0][0] - time.monotonic(), 0) if self._due else None
            for key, _ in self._selector.select(wait):
                if key.data is None:
                    self._accept()
                else:
                    self._read(key.data)
            while self._due and self._due[0][0] <= time.monotonic():
                heappop(self._due)[2]()

    def _after(self, seconds: float, step: Callable[[], None]) -> None:
        heappush(self._due, (time.monotonic() + seconds, next(self._numbers), step))

    def _accept(self) -> None:
        """Connect when the third packet of the handshake would arrive, which takes three trips."""
        stream, _ = self._listener.accept()
        self._after(3 * self._trip, lambda: self._connect(stream))

    def _connect(self, stream: socket.socket) -> None:
        near, far = _End(stream), _End(socket.create_connection(("127.0.0.1", self._target)))
        near.other, far.other = far, near
        for end in (near, far):
            end.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end.stream, selectors.EVENT_READ, end)

    def _read(self, end: _End) -> None:
        try:
            octets = end.stream.recv(_BLOCK_OCTETS)
        except OSError:
            octets = b""
        if not octets:
            self._selector.unregister(end.stream)
        self._after(self._trip, lambda: self._write(end, octets))

    def _write(self, source: _End, octets: bytes) -> None:
        """Hand on what `source` said; nothing means that it closed."""
        target = source.other
        with suppress(OSError):  # it has left: its own end tells
            if octets:
                target.stream.sendall(octets)
            else:
                target.stream.shutdown(socket.SHUT_WR)
        source.is_ended = source.is_ended or not octets
        if source.is_ended and target.is_ended:
            source.stream.close()
            target.stream.close()


def main() -> None:
    """Carry until standard input ends."""
    line = _DelayLine(int(sys.argv[1]), float(sys.argv[2]) / 1000)
    Thread(target=line.carry, daemon=True).start()
    print(line.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
