"""The way to the relay, which can be cut behind any octet: what passed it is all that the relay ever sees."""

from __future__ import annotations

import selectors
import socket
from collections import Counter
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.death import Death, Kind

_PIECE = 65_536
_SETTLED_WITHIN_SECONDS = 30.0


class Passage:
    """Listens on one port for good, and carries each connection to the relay of the moment.

    From a death of kind `octet` or `reply` on, nothing passes. Since `lead_to`, `traffic` counts by kind what passed,
    `turns` how often the client spoke after the relay had, and `connections` those that began.
    """

    host = "127.0.0.1"

    def __init__(self) -> None:
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.traffic: Counter[Kind] = Counter()
        self.turns = 0
        self.connections = 0
        self._last_to_speak: Kind = "reply"
        self._relay_port = 0
        self._death: Death | None = None
        self._on_cut: Callable[[], None] | None = None
        self._is_cut = False
        self._lock = Lock()
        self._carriers: list[Thread] = []
        self._accepting = Thread(target=self._accept, name="passage")

    def __enter__(self) -> Self:
        """Listen."""
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and wait for the connections that are left."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.settle()

    def lead_to(self, relay_port: int, death: Death | None, on_cut: Callable[[], None]) -> None:
        """Carry what comes from now on to this relay, until the death; `on_cut` is called then."""
        self._relay_port = relay_port
        self._death = death
        self._on_cut = on_cut
        self._is_cut = False
        self.traffic = Counter()
        self.turns = 0
        self.connections = 0

    def settle(self) -> None:
        """Wait until the relay has seen and answered all that passed."""
        while self._carriers:
            carrier = self._carriers.pop()
            carrier.join(_SETTLED_WITHIN_SECONDS)
            assert not carrier.is_alive(), "a connection did not end"

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                client, _ = self._listener.accept()
                carrier = Thread(target=self._serve, args=(client, self._relay_port), name="passage-connection")
                self._carriers.append(carrier)
                self.connections += 1
                carrier.start()

    def _serve(self, client: socket.socket, relay_port: int) -> None:
        with client, suppress(OSError), socket.create_connection((self.host, relay_port)) as relay:
            for end in (client, relay):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):  # one end is gone, as it does when a process dies
                self._carry(client, relay)
            relay.shutdown(socket.SHUT_WR)
            while relay.recv(_PIECE):  # what the relay still says is for nobody
                pass

    def _carry(self, client: socket.socket, relay: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, (relay, "octet"))
            selector.register(relay, selectors.EVENT_READ, (client, "reply"))
            while True:
                for key, _ in selector.select():
                    if not self._pass_on(key.fileobj, *key.data):  # type: ignore[arg-type]  # the sockets above
                        return

    def _pass_on(self, source: socket.socket, target: socket.socket, kind: Kind) -> bool:
        """Pass on what is there; whether more may follow."""
        octets = source.recv(_PIECE)
        with self._lock:
            passing = self._passing(kind, len(octets))
            self.traffic[kind] += passing
            self._note_speaker(kind, passing)
            dies_now = not self._is_cut and self._death is not None and self._left(kind) == 0
            self._is_cut = self._is_cut or dies_now
        target.sendall(octets[:passing])
        if dies_now and self._on_cut is not None:
            self._on_cut()
        return bool(octets) and not self._is_cut

    def _note_speaker(self, kind: Kind, passing: int) -> None:
        if passing:
            self.turns += kind == "octet" and self._last_to_speak == "reply"
            self._last_to_speak = kind

    def _passing(self, kind: Kind, arrived: int) -> int:
        left = 0 if self._is_cut else self._left(kind)
        return arrived if left is None else min(arrived, left)

    def _left(self, kind: Kind) -> int | None:
        """How many octets are left before the death; None: it is not due on this way."""
        if self._death is None or self._death.kind != kind:
            return None
        return self._death.at - self.traffic[kind]
