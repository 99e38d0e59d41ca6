"""Mail transactions in lock-step: one command, one reply (RFC 5321 section 3.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tocsin.adapters.failures import PhaseFailed
from tocsin.adapters.smtp_transaction import NotTaken, Transaction, is_accepted, is_go_ahead, transaction_for
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from tocsin.adapters.smtp_channel import SmtpChannel
    from tocsin.adapters.smtp_session import Session
    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.model.envelope import MailObject


class LockStep:
    """Hands mails over, one after another, in one session.

    `is_clean` is false where the mail before was refused: what it left behind is cleared before the next one.
    """

    def __init__(self, session: Session) -> None:
        self._channel = session.channel
        self._extensions = session.extensions
        self.is_clean = True

    def submit(self, mail: MailObject, *, limits: TimeLimits) -> Reply:
        """Hand one mail over.

        Raises:
            PhaseFailed: the session ended before the mail's fate was told, or with it unknown.
            NotTaken: what the mail before it left behind cannot be cleared.
        """
        transaction = transaction_for(mail, self._extensions)
        if isinstance(transaction, Reply):
            return transaction
        if not self.is_clean:
            self._clear(limits)
        self.is_clean = False
        reply = self._introduce(transaction, limits)
        if is_accepted(reply):
            reply = hand_in(self._channel, transaction, limits=limits)
        self.is_clean = reply.accepted
        return reply

    def _clear(self, limits: TimeLimits) -> None:
        try:
            reply = self._channel.command("RSET", phase=Phase.MAIL, until=limits.begin_phase())
        except PhaseFailed as failure:
            raise NotTaken from failure
        if not is_accepted(reply):
            raise NotTaken

    def _introduce(self, transaction: Transaction, limits: TimeLimits) -> Reply:
        """MAIL and RCPT; the first refusal, or the last reply."""
        reply = self._channel.command(transaction.mail_line, phase=Phase.MAIL, until=limits.begin_phase())
        if is_accepted(reply):
            reply = self._channel.command(transaction.rcpt_line, phase=Phase.RCPT, until=limits.begin_phase())
        return reply


def hand_in(channel: SmtpChannel, transaction: Transaction, *, limits: TimeLimits) -> Reply:
    """DATA and the content, once MAIL and RCPT were accepted; the reply that decides.

    Raises:
        PhaseFailed: the session ended before the mail's fate was told, or with it unknown.
    """
    reply = channel.command("DATA", phase=Phase.DATA, until=limits.begin_phase(), wanted=(3,))
    return _send_content(channel, transaction.octets, limits) if is_go_ahead(reply) else reply


def _send_content(channel: SmtpChannel, octets: bytes, limits: TimeLimits) -> Reply:
    try:
        channel.write(octets, phase=Phase.DATA, until=limits.begin_phase())
    except PhaseFailed:
        last_words = channel.last_words(Phase.DATA)
        if last_words is None:
            raise
        return last_words
    reply = channel.read_reply(phase=Phase.AFTER_DATA, until=limits.begin_phase())
    return replace(reply, phase=Phase.DATA)
