"""Submission: handing mail to a relay by SMTP (RFC 6409), for one mail account with one credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.smtp_session import open_session
from tocsin.adapters.smtp_transaction import LockStep, unsendable
from tocsin.adapters.time_limits import TimeLimits
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tocsin.adapters.egress import Egress
    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.reply import Reply


class Submission:
    """One session at a time with the account's relay; not for use by two threads.

    It opens at the first mail, stays open between calls of `submit`, and opens again after the relay closed it. Once
    AUTH failed, all further mails get the same reply until `close`: trying again would lock the account.
    """

    def __init__(self, account: MailAccount, credential: Credential | None, *, egress: Egress) -> None:
        self._account = account
        self._credential = credential
        self._egress = egress
        self._transactions: LockStep | None = None
        self._auth_failure: Reply | None = None

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Iterator[Reply]:
        """Give one reply for each mail, in order; nothing that network or relay do raises.

        Each phase ends after the relay's `timeout_seconds`, all of them by `deadline`, a time of `time.monotonic()`.
        DATA, writing the content and waiting for its reply are a phase each.
        """
        limits = TimeLimits(phase_seconds=self._account.relay.timeout_seconds, deadline=deadline)
        for mail in mails:
            reply = unsendable(mail.envelope) or self._auth_failure or self._submit(mail, limits)
            if reply.phase is Phase.AUTH:
                self._auth_failure = reply
            yield reply

    def log_in(self, *, deadline: float) -> Reply:
        """Open the session anew, up to AUTH, by `deadline`; the last reply. Nothing that network or relay do raises."""
        self.close()
        limits = TimeLimits(phase_seconds=self._account.relay.timeout_seconds, deadline=deadline)
        try:
            session = open_session(self._account, self._credential, egress=self._egress, limits=limits)
        except PhaseFailed as failure:
            return failure.reply
        self._transactions = LockStep(session)
        return session.reply

    def close(self) -> None:
        """End the session; it takes a second at most and never fails."""
        self._leave()
        self._auth_failure = None

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _submit(self, mail: MailObject, limits: TimeLimits) -> Reply:
        if self._transactions is not None and self._transactions.prepare(limits=limits):
            reply = self._attempt(self._transactions, mail, limits)
            if not _was_closed_between_mails(reply):
                return reply
        self._leave()
        try:
            session = open_session(self._account, self._credential, egress=self._egress, limits=limits)
        except PhaseFailed as failure:
            return failure.reply
        self._transactions = LockStep(session)
        return self._attempt(self._transactions, mail, limits)

    def _attempt(self, transactions: LockStep, mail: MailObject, limits: TimeLimits) -> Reply:
        try:
            return transactions.submit(mail, limits=limits)
        except PhaseFailed as failure:
            self._leave()
            return failure.reply

    def _leave(self) -> None:
        if self._transactions is not None:
            self._transactions.close()
        self._transactions = None


def _was_closed_between_mails(reply: Reply) -> bool:
    """Whether nothing of the mail was taken because the relay had left a session that was used before."""
    return reply.phase is Phase.MAIL and reply.text == Mishap.CONNECTION_CLOSED
