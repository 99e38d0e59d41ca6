"""Submission: handing mail to a relay by SMTP (RFC 6409), for one mail account with one credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.look_ahead import LookAhead
from tocsin.adapters.pipelining_trust import OF_THIS_PROCESS, PipeliningTrust
from tocsin.adapters.smtp_hand_over import HandOver
from tocsin.adapters.smtp_pipeline import Pipeline
from tocsin.adapters.smtp_session import open_session
from tocsin.adapters.smtp_transaction import NotTaken, unsendable
from tocsin.adapters.time_limits import TimeLimits
from tocsin.model.mail_account import Security
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from tocsin.adapters.egress import Egress
    from tocsin.adapters.smtp_session import Session
    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.reply import Reply


class Submission:
    """One session at a time with the account's relay; not for use by two threads.

    It opens at the first mail, stays open between calls of `submit`, and opens again after the relay closed it. Once
    AUTH failed, all further mails get the same reply until `close`: trying again would lock the account. `trust` says
    whether the relay may be told more than one command at a time.
    """

    def __init__(
        self,
        account: MailAccount,
        credential: Credential | None,
        *,
        egress: Egress,
        trust: PipeliningTrust = OF_THIS_PROCESS,
    ) -> None:
        self._account = account
        self._credential = credential
        self._egress = egress
        self._trust = trust
        self._hand_over: HandOver | None = None
        self._auth_failure: Reply | None = None
        self._ahead: LookAhead[MailObject] | None = None

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Generator[Reply]:
        """Give one reply for each mail, in order; nothing that network or relay do raises.

        Each phase ends after the relay's `timeout_seconds`, all of them by `deadline`, a time of `time.monotonic()`.
        DATA, writing the content and waiting for its reply are a phase each. One mail more may be pulled than replies
        were given: where nobody asks for its reply, its content is never written.
        """
        limits = TimeLimits(phase_seconds=self._account.relay.timeout_seconds, deadline=deadline)
        self._abandon()  # what a call before this one began, if its caller still holds it
        ahead = self._ahead = LookAhead(mails)
        try:
            for mail in ahead:
                reply = unsendable(mail.envelope) or self._auth_failure or self._submit(mail, ahead, limits)
                if reply.phase is Phase.AUTH:
                    self._auth_failure = reply
                yield reply
        finally:
            if self._ahead is ahead:
                self._abandon()

    def log_in(self, *, deadline: float) -> Reply:
        """Open the session anew, up to AUTH, by `deadline`; the last reply. Nothing that network or relay do raises."""
        self.close()
        limits = TimeLimits(phase_seconds=self._account.relay.timeout_seconds, deadline=deadline)
        try:
            return self._reopened(limits).opened_by
        except PhaseFailed as failure:
            return failure.reply

    @property
    def is_open(self) -> bool:
        """Whether the session takes one more mail without being opened anew."""
        return self._hand_over is not None and self._hand_over.is_ready

    def close(self) -> None:
        """End the session; it takes a second at most and never fails."""
        self._leave()
        self._auth_failure = None

    def drop(self) -> None:
        """End the session without a word."""
        if self._hand_over is not None:
            self._hand_over.drop()
        self._hand_over = None
        self._auth_failure = None

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _submit(self, mail: MailObject, ahead: LookAhead[MailObject], limits: TimeLimits) -> Reply:
        reply = None
        while reply is None:  # again only where a used session ended, or pipelining was tried: twice at most
            reply = self._attempt(mail, ahead, limits)
        return reply

    def _attempt(self, mail: MailObject, ahead: LookAhead[MailObject], limits: TimeLimits) -> Reply | None:
        """The mail's reply; None where its session is over, nothing of it was taken, and another one may have it."""
        hand_over = self._hand_over if self._hand_over is not None and self._hand_over.is_ready else None
        is_used = hand_over is not None
        try:
            hand_over = hand_over or self._reopened(limits)
            return hand_over.submit(mail, following=ahead.peek, limits=limits)
        except NotTaken:
            self._leave()
            return None
        except PhaseFailed as failure:
            self._leave()
            return None if is_used and _was_closed_between_mails(failure.reply) else failure.reply

    def _reopened(self, limits: TimeLimits) -> HandOver:
        self._leave()
        session = open_session(self._account, self._credential, egress=self._egress, limits=limits)
        self._hand_over = HandOver(session, self._pipeline_for(session))
        return self._hand_over

    def _pipeline_for(self, session: Session) -> Pipeline | None:
        is_protected = self._account.relay.security is not Security.NONE
        if is_protected and "PIPELINING" in session.extensions and self._trust.holds(self._account):
            return Pipeline(session, on_misbehaviour=lambda: self._trust.lose(self._account))
        return None

    def _abandon(self) -> None:
        if self._hand_over is not None:
            self._hand_over.abandon()

    def _leave(self) -> None:
        if self._hand_over is not None:
            self._hand_over.close()
        self._hand_over = None


def _was_closed_between_mails(reply: Reply) -> bool:
    """Whether nothing of the mail was taken because the relay had left a session that was used before."""
    return reply.phase is Phase.MAIL and reply.text == Mishap.CONNECTION_CLOSED
