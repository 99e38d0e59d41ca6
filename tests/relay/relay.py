"""The relay itself: a listening socket, and a thread for each connection."""

from __future__ import annotations

import selectors
import socket
from collections import Counter
from contextlib import suppress
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING, Literal, Self

from tests.relay.authority import authority, loopback_certificate
from tests.relay.conversation import Conversation
from tests.relay.record import ReceivedMail, Record
from tests.relay.wire import Gone, Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from tests.relay.actions import Action, Script
    from tests.relay.authority import Certificate

OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 10485760")


class Relay:
    """A context manager that listens on 127.0.0.1 at a free port.

    `script` tells what to do at a step, each time or, as a sequence, the first times (None: what a good relay does):
    `connect`, `tls` (just before the handshake), `ehlo`, `helo`, `starttls`, `auth`, `mail`, `rcpt`, `data`, `content`
    (the reply to the final dot), `rset`, `quit`. A step may name its argument: `rcpt ana@example.org`,
    `mail a@b.example`, `auth PLAIN`; `data` and `content` the sender.
    `offers` are the EHLO keywords beside STARTTLS and AUTH; AUTH is offered with `mechanisms`, also on a clear
    connection. `forgets_ahead` loses what came behind a command or a content before its reply was given.
    `passwords` and `tokens` are by user name. `security` is as in the settings of a mail account. `most_at_once` counts
    connections that were there at the same time, and had not said QUIT.
    """

    host = "127.0.0.1"

    def __init__(  # noqa: PLR0913  (each names one thing a test varies)
        self,
        *,
        script: Script | None = None,
        security: Literal["none", "starttls", "tls"] = "none",
        offers: Sequence[str] = OFFERS,
        forgets_ahead: bool = False,
        mechanisms: Sequence[str] = (),
        passwords: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
        certificate: Certificate | None = None,
        max_tls_version: ssl.TLSVersion | None = None,
    ) -> None:
        self._script = {} if script is None else script
        self.security = security
        self._offers = (*offers, "AUTH " + " ".join(mechanisms)) if mechanisms else tuple(offers)
        self._forgets_ahead = forgets_ahead
        self._passwords = passwords or {}
        self._tokens = tokens or {}
        self._tls = None if security == "none" else (certificate or loopback_certificate()).server_context()
        if self._tls is not None and max_tls_version is not None:
            self._tls.maximum_version = max_tls_version
        self._record = Record()
        self._times: Counter[str] = Counter()
        self._lock = Lock()
        self._stopped = Event()
        self._talks: list[tuple[Wire, Thread]] = []
        self._present: set[Thread] = set()
        self.most_at_once = 0
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._accepting = Thread(target=self._accept, name="relay")

    @property
    def ca_certificate(self) -> str | None:
        """What a client must trust, in PEM; None without TLS."""
        return None if self.security == "none" else authority().pem

    @property
    def mails(self) -> list[ReceivedMail]:
        """The mails it took responsibility for, in order."""
        return self._record.mails

    @property
    def contents(self) -> list[bytes]:
        """The content of each mail that arrived whole, accepted or not."""
        return self._record.contents

    @property
    def commands(self) -> list[str]:
        """Every line that clients sent but the content, in order."""
        return self._record.commands

    @property
    def behind_contents(self) -> list[bytes]:
        """For each content what had come behind it before its reply was given."""
        return self._record.behind_contents

    @property
    def clear_octets(self) -> bytes:
        """Every octet that came without TLS."""
        return bytes(self._record.clear_octets)

    @property
    def connections(self) -> int:
        """How many connections it accepted."""
        return self._record.connections

    @property
    def is_talking(self) -> bool:
        """Whether a connection is open."""
        return any(thread.is_alive() for _, thread in self._talks)

    def __enter__(self) -> Self:
        """Listen."""
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, end every connection, join every thread."""
        self._stopped.set()
        self._wake.send(b"x")
        self._accepting.join()
        for wire, thread in self._talks:
            wire.stop()
            thread.join()
        for end in (self._listener, self._wake, self._woken):
            end.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._woken not in [key.fileobj for key, _ in selector.select()]:
                self._begin(self._listener.accept()[0])

    def _begin(self, connection: socket.socket) -> None:
        self._record.connections += 1
        wire = Wire(connection, record=self._record, stopped=self._stopped)
        thread = Thread(target=self._talk, args=(wire,), name="relay-connection")
        self._talks.append((wire, thread))
        with self._lock:
            self._present.add(thread)
            self.most_at_once = max(self.most_at_once, len(self._present))
        thread.start()

    def _talk(self, wire: Wire) -> None:
        conversation = Conversation(
            wire,
            record=self._record,
            told=self._told,
            offers=self._offers,
            forgets_ahead=self._forgets_ahead,
            tls=self._tls,
            implicit_tls=self.security == "tls",
            passwords=self._passwords,
            tokens=self._tokens,
        )
        with suppress(Gone):
            conversation.run()
        self._leave()
        wire.close()

    def _leave(self) -> None:
        with self._lock:
            self._present.discard(current_thread())

    def _told(self, step: str, argument: str) -> Action | None:
        """What the script says about this step, this time."""
        if step == "quit":  # whoever reads the answer may let the next one in
            self._leave()
        for key in (f"{step} {argument}", step):
            if key in self._script:
                return self._nth(key)
        return None

    def _nth(self, key: str) -> Action | None:
        actions = self._script[key]
        with self._lock:
            time = self._times[key]
            self._times[key] += 1
        if isinstance(actions, (list, tuple)):
            return actions[time] if time < len(actions) else None
        return actions  # type: ignore[return-value]  # not a sequence, so an action
