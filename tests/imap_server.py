"""A scripted IMAP server over real sockets, that knows how to log people in and nothing else."""

from __future__ import annotations

import re
import socket
from base64 import b64decode
from contextlib import suppress
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal, Self

from tests.relay.actions import Say, Trickle
from tests.relay.authority import loopback_certificate
from tests.relay.record import Record
from tests.relay.wire import Gone, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.relay.actions import Action

_CHALLENGE = "eyJzdGF0dXMiOiI0MDEifQ=="  # {"status":"401"}


class ImapServer:
    """A context manager that listens on 127.0.0.1 at a free port.

    `script` tells what to do instead of what a good server does: at `GREETING`, or at a command by its name. In what
    it says, `{tag}` is that of the command. `passwords` and `tokens` are by user name; `capabilities` stand beside
    IMAP4rev1, the mechanisms and STARTTLS.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        script: Mapping[str, Action] | None = None,
        security: Literal["none", "starttls", "tls"] = "tls",
        mechanisms: Sequence[str] = ("PLAIN", "XOAUTH2"),
        capabilities: Sequence[str] = (),
        passwords: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
    ) -> None:
        self._script = script or {}
        self.security = security
        self._offered = ["IMAP4rev1", *capabilities, *(f"AUTH={name}" for name in mechanisms)]
        self._passwords = passwords or {}
        self._tokens = tokens or {}
        self._tls = loopback_certificate().server_context()
        self._stopped = Event()
        self._wires: list[Wire] = []
        self._threads: list[Thread] = []
        self.commands: list[str] = []
        self.logins: list[str] = []
        self.connections = 0
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Listen."""
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and join every thread."""
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for wire in self._wires:
            wire.stop()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _begin(self, work: object, *arguments: object) -> None:
        thread = Thread(target=work, args=arguments, name="imap-server")  # type: ignore[arg-type]  # a function of ours
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            wire = Wire(connection, record=Record(), stopped=self._stopped)
            self._wires.append(wire)
            self._begin(self._talk, wire)

    def _talk(self, wire: Wire) -> None:
        with suppress(Gone):
            if self.security == "tls":
                wire.protect(self._tls)
            self._say(wire, "GREETING", "", "* OK ready")
            while True:
                self._answer(wire, wire.line().decode())
        wire.close()

    def _answer(self, wire: Wire, line: str) -> None:
        self.commands.append(line)
        tag, _, rest = line.partition(" ")
        name, _, argument = rest.partition(" ")
        match name.upper():
            case "CAPABILITY":
                offered = (
                    [*self._offered, "STARTTLS"] if self.security == "starttls" and wire.is_clear else self._offered
                )
                self._say(wire, name, tag, f"* CAPABILITY {' '.join(offered)}\n{tag} OK done")
            case "STARTTLS":
                self._say(wire, name, tag, f"{tag} OK begin")
                wire.protect(self._tls)
            case "AUTHENTICATE":
                self._authenticate(wire, tag, argument)
            case "LOGIN":
                user, password = (*_words(argument), "", "")[:2]
                self._decide(wire, name, tag, user, is_right=self._passwords.get(user) == password)
            case "LOGOUT":
                self._say(wire, name, tag, f"* BYE bye\n{tag} OK done")
            case _:
                self._say(wire, name, tag, f"{tag} BAD unknown")

    def _authenticate(self, wire: Wire, tag: str, mechanism: str) -> None:
        _say_plainly(wire, "+ ")
        response = b64decode(wire.line()).decode()
        if mechanism == "PLAIN":
            _, user, password = response.split("\0")
            self._decide(wire, "AUTHENTICATE", tag, user, is_right=self._passwords.get(user) == password)
            return
        user = response.partition("user=")[2].partition("\x01")[0]
        is_right = response.endswith(f"auth=Bearer {self._tokens.get(user)}\x01\x01")
        if not is_right:
            _say_plainly(wire, f"+ {_CHALLENGE}")
            self.commands.append(wire.line().decode())
        self._decide(wire, "AUTHENTICATE", tag, user, is_right=is_right)

    def _decide(self, wire: Wire, name: str, tag: str, user: str, *, is_right: bool) -> None:
        if is_right:
            self.logins.append(user)
        words = "OK welcome" if is_right else "NO [AUTHENTICATIONFAILED] Invalid credentials"
        self._say(wire, name, tag, f"{tag} {words}")

    def _say(self, wire: Wire, name: str, tag: str, text: str) -> None:
        action = self._script.get(name.upper())
        if action is None:
            _say_plainly(wire, text)
            return
        wire.act(_tagged(action, tag))


def _words(arguments: str) -> list[str]:
    """Quoted strings, as RFC 9051 section 9 has them, and atoms; anything else is cut where an atom must end."""
    found = re.findall(r'"((?:[^"\\]|\\["\\])*)"|([^\s"\\(){}%*]+)', arguments)
    return [re.sub(r"\\(.)", r"\1", quoted) or atom for quoted, atom in found]


def _say_plainly(wire: Wire, text: str) -> None:
    wire.act(Say(text))


def _tagged(action: Action, tag: str) -> Action:
    """The action with the command's tag in what it says."""
    return replace(action, text=action.text.replace("{tag}", tag)) if isinstance(action, Say | Trickle) else action
