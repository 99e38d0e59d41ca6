"""Trying a mail account out, step by step: at its relay, as mail is submitted, and at its mailbox."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tocsin.adapters.failures import PhaseFailed
from tocsin.adapters.mailbox import log_in_to_mailbox
from tocsin.adapters.smtp_lock_step import hand_in
from tocsin.adapters.smtp_session import open_session
from tocsin.adapters.smtp_transaction import is_accepted, transaction_for, unsendable
from tocsin.adapters.time_limits import TimeLimits
from tocsin.adapters.timeline import Timeline
from tocsin.model.mail_account import Auth
from tocsin.model.reply import Phase, Reply
from tocsin.model.step_report import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tocsin.adapters.egress import Egress
    from tocsin.adapters.smtp_session import Session
    from tocsin.adapters.watch import Watch
    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.step_report import Finding

_QUIT_SECONDS = 1.0  # what taking leave may cost


class Trial:
    """Opens sessions of its own, the way mail is submitted; nothing that a server does raises.

    Each phase ends after the account's `timeout_seconds`, all of them by `deadline`, a time of `time.monotonic()`.
    """

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    def greet(self, account: MailAccount, *, deadline: float) -> Sequence[Finding]:
        """Come as far as EHLO, as nobody."""
        nobody = account.model_copy(update={"auth": Auth(type="none")})
        timeline = Timeline(deadline=deadline)
        with _kept(timeline), self._session(nobody, None, timeline, deadline):
            pass
        return timeline.findings()

    def offer(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, *, deadline: float
    ) -> Sequence[Finding]:
        """Log in, and name sender and recipient of `mail`; then take it back, so that nothing is sent."""
        return self._try(account, credential, mail, deadline, sends=False)

    def send(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, *, deadline: float
    ) -> Sequence[Finding]:
        """Log in and submit `mail`, once."""
        return self._try(account, credential, mail, deadline, sends=True)

    def mailbox(self, account: MailAccount, credential: Credential | None, *, deadline: float) -> Sequence[Finding]:
        """Log in to the account's mailbox: one finding."""
        timeline = Timeline(deadline=deadline, step=Step.MAILBOX)
        with _kept(timeline):
            log_in_to_mailbox(
                account, credential, egress=self._egress, limits=_limits(account, deadline), watch=timeline
            )
        return timeline.findings()

    def _try(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, deadline: float, *, sends: bool
    ) -> Sequence[Finding]:
        timeline = Timeline(deadline=deadline)
        with _kept(timeline), self._session(account, credential, timeline, deadline) as session:
            _transact(session, mail, limits=_limits(account, deadline), watch=timeline, sends=sends)
        return timeline.findings()

    @contextmanager
    def _session(
        self, account: MailAccount, credential: Credential | None, timeline: Timeline, deadline: float
    ) -> Iterator[Session]:
        limits = _limits(account, deadline)
        session = open_session(account, credential, egress=self._egress, limits=limits, watch=timeline)
        try:
            yield session
        finally:
            timeline.stop()
            if time.monotonic() < deadline - _QUIT_SECONDS:
                session.channel.quit()
            else:
                session.channel.drop()


def _limits(account: MailAccount, deadline: float) -> TimeLimits:
    return TimeLimits(phase_seconds=account.relay.timeout_seconds, deadline=deadline)


@contextmanager
def _kept(timeline: Timeline) -> Iterator[None]:
    """Keep what ended it as the reply of its step."""
    try:
        yield
    except PhaseFailed as failure:
        timeline.learnt(failure.reply.phase, failure.reply)


def _transact(session: Session, mail: MailObject, *, limits: TimeLimits, watch: Watch, sends: bool) -> None:
    transaction = unsendable(mail.envelope) or transaction_for(mail, session.extensions)
    if isinstance(transaction, Reply):
        raise PhaseFailed(transaction)
    for phase, line in ((Phase.MAIL, transaction.mail_line), (Phase.RCPT, transaction.rcpt_line)):
        watch.reached(phase)
        reply = session.channel.command(line, phase=phase, until=limits.begin_phase())
        watch.learnt(phase, reply)
        if not is_accepted(reply):
            break
    else:
        if sends:
            watch.reached(Phase.DATA)
            watch.learnt(Phase.DATA, hand_in(session.channel, transaction, limits=limits))
    if not sends and session.channel.usable:
        _take_back(session, limits)


def _take_back(session: Session, limits: TimeLimits) -> None:
    """Nothing is sent whatever comes of it, so what was found out stands: a relay that goes on gets no content."""
    with suppress(PhaseFailed):
        session.channel.command("RSET", phase=Phase.RCPT, until=limits.begin_phase())
