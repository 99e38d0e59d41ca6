"""Mailboxes by IMAP (RFC 9051): logging in, over a connection that the egress guard opened."""

from __future__ import annotations

import imaplib
import re
import time
from base64 import b64decode
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tocsin.adapters.egress import a_label
from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.imap_wire import ImapWire
from tocsin.adapters.masking import masked
from tocsin.adapters.sasl import discreet, mechanism_for
from tocsin.adapters.tls import context_for, described
from tocsin.model.mail_account import Security
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tocsin.adapters.egress import Egress
    from tocsin.adapters.sasl import Mechanism
    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.adapters.watch import Watch
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount, Mailbox

_LOGOUT_SECONDS = 1.0
_UNQUOTABLE = re.compile(r"[^\x20-\x7e]")  # what LOGIN's quoted strings cannot carry (RFC 9051 section 9)
_BYE = re.compile(r"\bBYE\b\s*(.*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def log_in_to_mailbox(
    account: MailAccount, credential: Credential | None, *, egress: Egress, limits: TimeLimits, watch: Watch
) -> None:
    """Log in to the account's mailbox and out again.

    The relay's minimum TLS version and CA certificate hold here too. A proxy does not: it is the way to the relay.

    Raises:
        PhaseFailed: one of the phases failed; of a refusal the text begins with NO, BAD or BYE.
    """
    mailbox = account.mailbox
    if mailbox is None or credential is None:
        raise PhaseFailed.by(Phase.AUTH, Mishap.NO_CREDENTIAL)
    if mailbox.security is Security.NONE and not egress.allows_private(mailbox.host, mailbox.port):
        raise PhaseFailed.by(Phase.AUTH, Mishap.CLEAR_AUTH_REFUSED, "host and port are not in AllowedPrivateHosts")
    connection = egress.connect(mailbox.host, mailbox.port, limits=limits, watch=watch)
    wire = ImapWire(connection)
    try:
        _Login(account, mailbox, credential, wire, limits, watch).run()
    finally:
        wire.close()


class _Login:
    def __init__(
        self,
        account: MailAccount,
        mailbox: Mailbox,
        credential: Credential,
        wire: ImapWire,
        limits: TimeLimits,
        watch: Watch,
    ) -> None:
        self._account = account
        self._mailbox = mailbox
        self._credential = credential
        self._wire = wire
        self._limits = limits
        self._watch = watch

    def run(self) -> None:
        if self._mailbox.security is Security.TLS:
            self._protect()
        self._begin(Phase.CONNECT)
        with _refusals(Phase.CONNECT):
            imap = _Imap(self._wire)
        if self._mailbox.security is Security.STARTTLS:
            self._upgrade(imap)
        self._watch.learnt(Phase.AUTH, capabilities=list(imap.capabilities))
        self._log_in(imap)
        self._wire.begin(Phase.AUTH, min(time.monotonic() + _LOGOUT_SECONDS, self._limits.deadline))
        with suppress(PhaseFailed, imaplib.IMAP4.error, ValueError):  # the last for numbers that Python does not read
            imap.logout()

    def _upgrade(self, imap: _Imap) -> None:
        if "STARTTLS" not in imap.capabilities:
            raise PhaseFailed.by(Phase.TLS, Mishap.STARTTLS_NOT_ADVERTISED)
        self._begin(Phase.TLS)
        with _refusals(Phase.TLS):
            answer, words = imap.xatom("STARTTLS")
        if answer != "OK":
            raise _refused(Phase.TLS, answer, _text(words))
        self._protect()
        with _refusals(Phase.TLS):
            imap.learn_capabilities()

    def _protect(self) -> None:
        self._begin(Phase.TLS)
        relay = self._account.relay
        context = context_for(relay.min_tls_version, relay.ca_certificate)
        self._watch.learnt(Phase.TLS, **described(self._wire.protect(context, a_label(self._mailbox.host))))

    def _log_in(self, imap: _Imap) -> None:
        self._begin(Phase.AUTH)
        offered = {one.removeprefix("AUTH=") for one in imap.capabilities if one.startswith("AUTH=")}
        try:
            mechanism = mechanism_for(self._credential, offered, host=self._mailbox.host, port=self._mailbox.port)
        except PhaseFailed:
            if self._credential.password is None or "LOGINDISABLED" in imap.capabilities:
                raise
            self._log_in_plainly(imap, self._credential.password)
            return
        self._watch.learnt(Phase.AUTH, mechanism=mechanism.name)
        with _refusals(Phase.AUTH, mechanism):
            imap.authenticate(mechanism.name, _answers(mechanism))

    def _log_in_plainly(self, imap: _Imap, password: str) -> None:
        """By LOGIN, which servers without a mechanism of their own still take (RFC 9051 section 6.2.3)."""
        self._watch.learnt(Phase.AUTH, mechanism="LOGIN command")
        if _UNQUOTABLE.search(self._credential.username + password):
            raise PhaseFailed.by(Phase.AUTH, Mishap.BAD_CREDENTIAL, "it holds a character that LOGIN cannot carry")
        try:
            with _refusals(Phase.AUTH):
                imap.login(f'"{_quoted(self._credential.username)}"', password)
        except PhaseFailed as failure:
            text = masked(failure.reply.text, (password, _quoted(password)))
            raise PhaseFailed(Reply(phase=Phase.AUTH, code=None, text=text)) from None

    def _begin(self, phase: Phase) -> None:
        self._watch.reached(phase)
        self._wire.begin(phase, self._limits.begin_phase())


class _Imap(imaplib.IMAP4):
    """The library's protocol over our wire: it opens no connection of its own."""

    def __init__(self, wire: ImapWire) -> None:
        self._wire = wire
        super().__init__()

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        del host, port, timeout

    def read(self, size: int) -> bytes:
        return self._wire.read(size)

    def readline(self) -> bytes:
        return self._wire.read_line()

    def send(self, data: bytes) -> None:  # type: ignore[override]  # the library sends bytes only
        self._wire.send(data)

    def shutdown(self) -> None:
        self._wire.close()

    def learn_capabilities(self) -> None:
        """Ask anew: what was said before TLS, with the answer to STARTTLS too, is forgotten."""
        self.untagged_responses = {}
        _, [words, *_] = self.capability()
        self.capabilities = tuple(_text([words]).upper().split())


def _quoted(text: str) -> str:
    """What stands between the quotation marks of a quoted string, as the library writes it."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _answers(mechanism: Mechanism) -> Callable[[bytes], bytes | None]:
    """What answers each challenge; behind the last response only errors are challenges (RFC 7628 section 3.2.3)."""
    responses = iter(mechanism.responses)
    error_answer = None if mechanism.error_answer == "*" else b64decode(mechanism.error_answer)
    return lambda _: next(responses, error_answer)


@contextmanager
def _refusals(phase: Phase, mechanism: Mechanism | None = None) -> Iterator[None]:
    """Turn what the library raises into `PhaseFailed`, with the server's words and without what we sent."""
    try:
        yield
    except imaplib.IMAP4.error as error:
        text = _text(error.args[:1])
        if bye := _BYE.search(text):
            raise _refused(phase, "BYE", bye[1], mechanism) from error
        if phase is Phase.CONNECT or isinstance(error, imaplib.IMAP4.abort):
            raise PhaseFailed.by(phase, Mishap.MALFORMED_REPLY, "it is not IMAP") from error
        raise _refused(phase, "NO", text, mechanism) from error
    except ValueError as error:  # a challenge that is no base64
        raise PhaseFailed.by(phase, Mishap.MALFORMED_REPLY, "a challenge cannot be read") from error


def _refused(phase: Phase, answer: str, text: str, mechanism: Mechanism | None = None) -> PhaseFailed:
    reply = Reply(phase=phase, code=None, text=f"{answer} {text}")
    return PhaseFailed(discreet(reply, mechanism) if mechanism is not None else reply)


def _text(words: object) -> str:
    """The server's words as the library keeps them."""
    parts = words if isinstance(words, list | tuple) else [words]
    found = [part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in parts if part]
    return _CONTROL.sub(" ", " ".join(found))
