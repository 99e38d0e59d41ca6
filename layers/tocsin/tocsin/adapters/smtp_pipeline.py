"""Mail transactions pipelined (RFC 2920), one round trip each, such that no mail goes under another's envelope.

The content of one mail goes out in one write with RSET, MAIL, RCPT and DATA of the next: its group. Their replies
come in this order, and at most these five are awaited. RSET leads each group because a refused MAIL, where the mail
before it failed, leaves that one's envelope standing at some relays.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.smtp_transaction import (
    CLOSING,
    NotTaken,
    Transaction,
    is_accepted,
    is_go_ahead,
    transaction_for,
    unsendable,
)
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.adapters.smtp_session import Session
    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.model.envelope import MailObject

    Following = Callable[[], MailObject | None]

_GROUP = ((Phase.MAIL, 2), (Phase.MAIL, 2), (Phase.RCPT, 2), (Phase.DATA, 3))  # RSET, MAIL, RCPT, DATA
_BAD_SEQUENCE = 503
_DOT = b".\r\n"


class Pipeline:
    """Hands mails over, each begun while the one before it is on its way, in one session.

    `on_misbehaviour` is called where the relay breaks on pipelining; the session is over then.
    """

    def __init__(self, session: Session, *, on_misbehaviour: Callable[[], None]) -> None:
        self._channel = session.channel
        self._extensions = session.extensions
        self._on_misbehaviour = on_misbehaviour
        self._begun: Transaction | None = None
        self._is_used = False

    @property
    def has_begun(self) -> bool:
        """Whether a mail's group is written and not answered; none of its content is."""
        return self._begun is not None

    def submit(self, mail: MailObject, *, following: Following, limits: TimeLimits) -> Reply:
        """Hand one mail over, and begin the one that `following` gives, which must be the next to be handed over.

        `following` is asked just before content is written; what it raises leaves the mail untold.

        Raises:
            PhaseFailed: the session ended before the mail's fate was told, or with it unknown.
            NotTaken: the session ended, and nothing of the mail was taken.
        """
        transaction = self._begin(mail, limits)
        if isinstance(transaction, Reply):
            return transaction
        answer = self._answer(limits)
        self._is_used = True
        if not answer.wants_content:
            self._begun = None
            return answer.reply
        next_one = following()
        self._begun = None
        if is_go_ahead(answer.reply):
            return self._send(transaction.octets, next_one, limits)
        return self._send_nothing(answer.reply, next_one, limits)

    def _begin(self, mail: MailObject, limits: TimeLimits) -> Transaction | Reply:
        """Write the mail's group, unless it went out with the content of the mail before."""
        if self._begun is not None:
            if self._begun.mail is mail:
                return self._begun
            self._channel.drop()  # the relay may wait for the content of a mail that nobody wants to submit now
            raise NotTaken
        transaction = transaction_for(mail, self._extensions)
        if isinstance(transaction, Transaction):
            self._channel.write(_group(transaction), phase=Phase.MAIL, until=limits.begin_phase())
            self._begun = transaction
        return transaction

    def _answer(self, limits: TimeLimits) -> _Answer:
        try:
            replies = self._read_group(limits)
        except PhaseFailed as failure:
            if _is_beyond_pipelining(failure.reply, limits):
                raise
            raise self._misbehaved(failure) from failure
        if not is_accepted(replies[0]):
            raise self._without_reset(replies[0])
        return self._judged(replies[1:])

    def _read_group(self, limits: TimeLimits) -> list[Reply]:
        """One reply for each command, read whole even where the first one is a refusal; nothing follows a 421."""
        replies: list[Reply] = []
        for phase, wanted in _GROUP:
            reply = self._channel.read_reply(phase=phase, until=limits.begin_phase(), wanted=(wanted,))
            replies.append(reply)
            if reply.code == CLOSING:
                break
        return replies

    def _without_reset(self, reply: Reply) -> PhaseFailed | NotTaken:
        """What a refused RSET means: whose envelope stands now is not known."""
        if reply.code != CLOSING:
            return self._misbehaved(None)
        return NotTaken() if self._is_used else PhaseFailed(reply)

    def _judged(self, replies: list[Reply]) -> _Answer:
        """The cause of a failure is the first refusal, not what the relay made of the commands behind it."""
        cause = next((reply for reply in replies if not is_accepted(reply)), replies[-1])
        wants_content = is_go_ahead(replies[-1])
        if cause.code == _BAD_SEQUENCE:
            raise self._misbehaved(None)
        if wants_content and cause.phase is Phase.MAIL and any(is_accepted(reply) for reply in replies):
            self._misbehaved(None)  # its recipient is in another mail's envelope: even a dot alone would reach them
            wants_content = False
        return _Answer(reply=cause, wants_content=wants_content)

    def _misbehaved(self, failure: PhaseFailed | None) -> PhaseFailed | NotTaken:
        """Leave the session at once; the error that tells whether the mail may be tried at once in another one."""
        self._begun = None
        self._channel.drop()
        self._on_misbehaviour()
        took_its_time = failure is not None and failure.reply.text in {Mishap.TIMED_OUT, Mishap.CONNECTION_CLOSED}
        return failure if failure is not None and took_its_time else NotTaken()

    def _send_nothing(self, refusal: Reply, following: MailObject | None, limits: TimeLimits) -> Reply:
        """End a mail that was refused although content is asked for: by the dot alone (RFC 2920 section 3.1)."""
        try:
            self._send(_DOT, following, limits)
        except PhaseFailed:
            return refusal
        return refusal

    def _send(self, octets: bytes, following: MailObject | None, limits: TimeLimits) -> Reply:
        """Write the content, in one write with the next group, and read the reply to the final dot."""
        transaction = self._pipelined(following)
        group = _group(transaction) if transaction is not None else b""
        try:
            self._channel.write(octets + group, phase=Phase.DATA, until=limits.begin_phase())
        except PhaseFailed as failure:
            return self._after_write_error(failure, is_whole=self._channel.unwritten <= len(group))
        self._begun = transaction
        return replace(self._read_last(limits), phase=Phase.DATA)

    def _pipelined(self, following: MailObject | None) -> Transaction | None:
        """The transaction to begin early; None where there is none, or where it is not to reach the relay at all."""
        if following is None or unsendable(following.envelope) is not None:
            return None
        transaction = transaction_for(following, self._extensions)
        return transaction if isinstance(transaction, Transaction) else None

    def _read_last(self, limits: TimeLimits) -> Reply:
        try:
            return self._channel.read_reply(phase=Phase.AFTER_DATA, until=limits.begin_phase())
        except PhaseFailed as failure:
            if self.has_begun and failure.reply.text != Mishap.TIMED_OUT:
                self._misbehaved(failure)
            raise

    def _after_write_error(self, failure: PhaseFailed, *, is_whole: bool) -> Reply:
        """What is left to read; without it, a mail that was written whole is in doubt, and any other is lost."""
        if failure.reply.text.startswith(Mishap.UNEXPECTED_REPLY):  # more replies than commands; nothing was written
            raise self._misbehaved(failure) from failure
        last_words = self._channel.last_words(Phase.DATA, wanted=(2,) if is_whole else ())
        if last_words is None:
            raise PhaseFailed(replace(failure.reply, phase=Phase.AFTER_DATA if is_whole else Phase.DATA)) from failure
        return last_words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a group came to: the mail's first refusal, or the 354; `wants_content` where the relay awaits a dot."""

    reply: Reply
    wants_content: bool


def _group(transaction: Transaction) -> bytes:
    lines = ("RSET", transaction.mail_line, transaction.rcpt_line, "DATA", "")
    return "\r\n".join(lines).encode()


def _is_beyond_pipelining(reply: Reply, limits: TimeLimits) -> bool:
    """Whether a relay without fault could end like this: it left between mails, or our own time was up."""
    if reply.text == Mishap.CONNECTION_CLOSED:
        return reply.phase is Phase.MAIL
    return reply.text == Mishap.TIMED_OUT and time.monotonic() >= limits.deadline
