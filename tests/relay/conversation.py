"""What a relay says on one connection: a good one's replies, unless the script says otherwise."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from tests.relay.actions import Say
from tests.relay.record import ReceivedMail
from tests.relay.wire import Gone

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from tests.relay.actions import Action
    from tests.relay.record import Record
    from tests.relay.wire import Wire

_CHALLENGE = b'{"status":"401","schemes":"bearer","scope":"mail"}'


class Conversation:
    """One connection from greeting to end."""

    def __init__(  # noqa: PLR0913  (all that a relay is told, by its only caller)
        self,
        wire: Wire,
        *,
        record: Record,
        told: Callable[[str, str], Action | None],
        offers: tuple[str, ...],
        forgets_ahead: bool,
        tls: ssl.SSLContext | None,
        implicit_tls: bool,
        passwords: Mapping[str, str],
        tokens: Mapping[str, str],
    ) -> None:
        self._wire = wire
        self._record = record
        self._told = told
        self._offers = offers
        self._forgets_ahead = forgets_ahead
        self._tls = tls
        self._implicit_tls = implicit_tls
        self._passwords = passwords
        self._tokens = tokens
        self._mail_from: str | None = None
        self._parameters: tuple[str, ...] = ()
        self._rcpt_to: list[str] = []

    def run(self) -> None:
        """Talk until one side ends it."""
        if self._implicit_tls:
            self._begin_tls()
        self._answer("connect", "", "220 relay.example.org ESMTP")
        while True:
            line = self._line()
            verb, _, argument = line.partition(" ")
            handle = getattr(self, f"_on_{verb.lower()}", None)
            if handle is None:
                self._answer(verb.lower(), argument, "500 5.5.1 unknown command")
            else:
                handle(argument)

    def _line(self) -> str:
        line = self._wire.line().decode(errors="replace")
        self._record.commands.append(line)
        self._forget_ahead()
        return line

    def _forget_ahead(self) -> None:
        if self._forgets_ahead:
            self._wire.forget_ahead()

    def _answer(self, step: str, argument: str, usual: str) -> bool:
        """Say what the script says, else the usual; whether it was the usual."""
        action = self._told(step, argument)
        self._wire.act(action or Say(usual))
        return action is None

    def _begin_tls(self) -> None:
        action = self._told("tls", "")
        if action is not None:
            self._wire.act(action)
        if self._tls is not None:
            self._wire.protect(self._tls)

    def _on_ehlo(self, argument: str) -> None:
        lines = ["relay.example.org", *self._offers]
        if self._tls is not None and self._wire.is_clear:
            lines.append("STARTTLS")
        text = "\n".join(f"250-{line}" for line in lines[:-1])
        self._answer("ehlo", argument, f"{text}\n250 {lines[-1]}" if text else f"250 {lines[-1]}")

    def _on_helo(self, argument: str) -> None:
        self._answer("helo", argument, "250 relay.example.org")

    def _on_starttls(self, argument: str) -> None:
        if self._answer("starttls", argument, "220 2.0.0 go ahead") and self._tls is not None:
            self._begin_tls()

    def _on_auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        action = self._told("auth", mechanism)
        if action is not None:
            self._wire.act(action)
            return
        self._wire.act(Say(self._verdict(mechanism.upper(), initial)))

    def _verdict(self, mechanism: str, initial: str) -> str:
        if mechanism == "LOGIN":
            username, password = (self._response(prompt) for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"))
            return _login_verdict(self._passwords.get(username) == password)
        response = b64decode(initial).decode() if initial else self._response("")
        if mechanism == "PLAIN":
            _, username, password = response.split("\0")
            return _login_verdict(self._passwords.get(username) == password)
        username, token = _bearer(response)
        if self._tokens.get(username) == token:
            return _login_verdict(True)
        self._response(b64encode(_CHALLENGE).decode())
        return _login_verdict(False)

    def _response(self, challenge: str) -> str:
        self._wire.act(Say(f"334 {challenge}"))
        return b64decode(self._line()).decode()

    def _on_mail(self, argument: str) -> None:
        path, *parameters = argument.split(" ")
        address = path.removeprefix("FROM:")[1:-1]
        is_nested = self._mail_from is not None
        usual = "503 5.5.1 nested MAIL" if is_nested else "250 2.1.0 sender ok"
        if self._takes("mail", address, usual) and not is_nested:
            self._mail_from, self._parameters = address, tuple(parameters)

    def _on_rcpt(self, argument: str) -> None:
        address = argument.removeprefix("TO:")[1:-1]
        usual = "503 5.5.1 need MAIL" if self._mail_from is None else "250 2.1.5 recipient ok"
        if self._takes("rcpt", address, usual):
            self._rcpt_to.append(address)

    def _on_data(self, _: str) -> None:
        mail_from = self._mail_from or ""
        if not self._rcpt_to:
            self._answer("data", mail_from, "554 5.5.1 no valid recipients")
        elif self._answer("data", mail_from, "354 go ahead"):
            self._take_content()

    def _take_content(self) -> None:
        content = self._wire.content()
        self._record.contents.append(content)
        self._record.behind_contents.append(self._wire.ahead)
        self._forget_ahead()
        mail = ReceivedMail(self._mail_from or "", tuple(self._rcpt_to), self._parameters, content)
        action = self._told("content", mail.mail_from)
        if action is None:
            self._record.mails.append(mail)  # first: whoever is told so may look at once
        self._wire.act(action or Say("250 2.0.0 queued"))
        self._end_transaction()

    def _end_transaction(self) -> None:
        self._mail_from = None
        self._rcpt_to.clear()

    def _takes(self, step: str, argument: str, usual: str) -> bool:
        """Say what the script says, else the usual; whether that was a yes."""
        action = self._told(step, argument) or Say(usual)
        self._wire.act(action)
        return isinstance(action, Say) and action.text.startswith("2")

    def _on_rset(self, argument: str) -> None:
        if self._takes("rset", argument, "250 2.0.0 flushed"):
            self._end_transaction()

    def _on_quit(self, argument: str) -> None:
        self._answer("quit", argument, "221 2.0.0 bye")
        raise Gone


def _login_verdict(is_right: bool) -> str:  # noqa: FBT001  (the verdict is the boolean)
    return "235 2.7.0 welcome" if is_right else "535 5.7.8 wrong credentials"


def _bearer(response: str) -> tuple[str, str]:
    """User name and token of an XOAUTH2 or OAUTHBEARER response."""
    head, *fields = response.split("\x01")
    username = head.removeprefix("user=").removeprefix("n,a=").removesuffix(",")
    token = next(field for field in fields if field.startswith("auth=Bearer "))
    return username, token.removeprefix("auth=Bearer ")
