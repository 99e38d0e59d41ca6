"""Verify a mail account that is saved, and write what came of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.renew_grant import STORING_SECONDS
from tocsin.errors import TransientError
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.confirm_account import Breakers, Bus
    from tocsin.actions.verify import Credentials
    from tocsin.actions.verify_steps import VerifySteps
    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.step_report import StepReport


class Grants(Protocol):
    """Mail accounts, as those write them who find something out about them."""

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        """Write it, and mark what is parked to go again where the account is mended.

        Raises:
            AccountChanged: the account is not as it was in `before`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySaved:
    """The action and all that it needs.

    A success makes the account `verified`, closes its breaker and lets go what is parked. A failure leaves the status
    as it is, because one failed try is no reason to stop, or to start, sending; it is shown as `last_error`.
    Whoever changed the account meanwhile knows better: then nothing is written.
    """

    steps: VerifySteps
    credentials: Credentials
    grants: Grants
    breakers: Breakers
    bus: Bus
    clock: Callable[[], datetime]
    jitter: Callable[[], float]

    def __call__(self, account: MailAccount, *, deadline: float) -> StepReport:
        """Verify it by `deadline` (monotonic seconds)."""
        seen = _Seen(account, self.credentials, deadline)
        report = self.steps(account, seen.credential, deadline=deadline)
        with suppress(TransientError):  # also AccountChanged; the report is what was asked for
            self._write(seen.account, report)
        return report

    def send(self, account: MailAccount, mail: MailObject | None, *, deadline: float) -> StepReport:
        """Submit a test message by this account. Nothing is written: a refusal may be the recipient's alone."""
        seen = _Seen(account, self.credentials, deadline)
        return self.steps.send(account, seen.credential, mail, deadline=deadline)

    def announce(self, account: MailAccount) -> None:
        """Tell of an account that was verified and then saved."""
        with suppress(TransientError):  # then it waits a while before it logs in
            self.breakers.reset(account)
        self.bus.account_changed("verified", account)

    def _write(self, account: MailAccount, report: StepReport) -> None:
        now = self.clock()
        found: dict[str, object] = {"last_error": report.last_error(now)}
        if report.passed:
            found |= {"status": "verified", "verified_at": now}
            self.breakers.reset(account)  # first: what is parked goes again once this is written
        after = account.model_copy(update=found)
        self.grants.update(account, after, refresh_at=next_visit(after, now, jitter=self.jitter()))
        if report.passed:
            self.bus.account_changed("verified", after)


class _Seen:
    """The account as it was last seen: finding its credential may renew its grant, which is stored by `deadline`."""

    def __init__(self, account: MailAccount, credentials: Credentials, deadline: float) -> None:
        self.account = account
        self._credentials = credentials
        self._ask_until = deadline - STORING_SECONDS

    def credential(self, until: float) -> Credential | None:
        ask_until = min(until, self._ask_until)
        self.account, credential = self._credentials.credential(self.account, deadline=ask_until)
        return credential
