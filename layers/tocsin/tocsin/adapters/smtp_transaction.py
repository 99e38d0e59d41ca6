"""Mail transactions in lock-step: one command, one reply (RFC 5321 section 3.3)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.mail_data import normalised, stuffed
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from tocsin.adapters.smtp_session import Session
    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.model.envelope import Envelope, MailObject

_ACCEPTED = 2
_GO_AHEAD = 3
_PATH = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^"\\<>@\x00-\x20\x7f\ud800-\udfff]+)'  # only quotes may hold a space
    r"@[^\"\\<>@\x00-\x20\x7f-\U0010ffff]+"
)


def unsendable(envelope: Envelope) -> Reply | None:
    """The reply for an envelope that no command may carry: it could end the command and begin another one."""
    paths = (envelope.mail_from, envelope.rcpt_to)
    if not all(_PATH.fullmatch(path) for path in paths):
        return _own_reply(Phase.COMPOSE, f"{Mishap.BAD_ADDRESS}: it cannot stand in a command")
    if not envelope.smtputf8 and not all(path.isascii() for path in paths):
        return _own_reply(Phase.COMPOSE, f"{Mishap.BAD_ADDRESS}: it is not ASCII, and SMTPUTF8 is not asked for")
    return None


class LockStep:
    """Hands mail objects over, one after another, in one session."""

    def __init__(self, session: Session) -> None:
        self._channel = session.channel
        self._extensions = session.extensions
        self._is_clean = True

    def prepare(self, *, limits: TimeLimits) -> bool:
        """Clear what a refused mail left behind; false where the session takes no more mail."""
        if not (self._channel.usable and self._channel.is_silent()):
            return False
        if self._is_clean:
            return True
        try:
            reply = self._channel.command("RSET", phase=Phase.MAIL, until=limits.begin_phase())
        except PhaseFailed:
            return False
        self._is_clean = _is_accepted(reply)
        return self._is_clean and self._channel.usable

    def submit(self, mail: MailObject, *, limits: TimeLimits) -> Reply:
        """Hand one mail over.

        Raises:
            PhaseFailed: the session ended before the mail's fate was told, or with it unknown.
        """
        content = normalised(mail.content)
        refusal = self._beyond_the_relay(mail.envelope, content)
        if refusal is not None:
            return refusal
        self._is_clean = False
        reply = self._introduce(mail.envelope, content, limits)
        if reply.code is not None and reply.code // 100 == _GO_AHEAD:
            reply = self._send_content(stuffed(content), limits)
        self._is_clean = reply.accepted
        return reply

    def close(self) -> None:
        """Take leave; nothing that happens now changes a reply."""
        self._channel.quit()

    def _beyond_the_relay(self, envelope: Envelope, content: bytes) -> Reply | None:
        limit = self._extensions.size_limit
        if limit is not None and len(content) > limit:
            return _own_reply(Phase.MAIL, f"{Mishap.TOO_LARGE} of {limit}")
        if envelope.smtputf8 and "SMTPUTF8" not in self._extensions:
            return _own_reply(Phase.RCPT, Mishap.NO_SMTPUTF8)
        return None

    def _introduce(self, envelope: Envelope, content: bytes, limits: TimeLimits) -> Reply:
        """MAIL, RCPT and DATA; the first refusal, or the 354."""
        for phase, line in (
            (Phase.MAIL, f"MAIL FROM:<{envelope.mail_from}>{self._parameters(envelope, content)}"),
            (Phase.RCPT, f"RCPT TO:<{envelope.rcpt_to}>"),
        ):
            reply = self._channel.command(line, phase=phase, until=limits.begin_phase())
            if not _is_accepted(reply):
                return reply
        return self._channel.command("DATA", phase=Phase.DATA, until=limits.begin_phase(), wanted=(_GO_AHEAD,))

    def _parameters(self, envelope: Envelope, content: bytes) -> str:
        parameters = ""
        if "SIZE" in self._extensions:
            parameters += f" SIZE={len(content)}"
        if "8BITMIME" in self._extensions and not content.isascii():
            parameters += " BODY=8BITMIME"
        return parameters + (" SMTPUTF8" if envelope.smtputf8 else "")

    def _send_content(self, octets: bytes, limits: TimeLimits) -> Reply:
        try:
            self._channel.write(octets, phase=Phase.DATA, until=limits.begin_phase())
        except PhaseFailed:
            last_words = self._channel.last_words(Phase.DATA)
            if last_words is None:
                raise
            return last_words
        reply = self._channel.read_reply(phase=Phase.AFTER_DATA, until=limits.begin_phase())
        return replace(reply, phase=Phase.DATA)


def _is_accepted(reply: Reply) -> bool:
    return reply.code is not None and reply.code // 100 == _ACCEPTED


def _own_reply(phase: Phase, text: str) -> Reply:
    return Reply(phase=phase, code=None, text=text)
