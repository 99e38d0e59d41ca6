"""Confirm a mail account that was just connected: log in at its relay, and write what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import GrantBusy
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.grant_ports import Grants
    from tocsin.actions.verify import Verification
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


class Verify(Protocol):
    """Logs in at the relay."""

    def __call__(self, account: MailAccount, *, deadline: float) -> Verification:
        """What the login came to."""
        ...


class Bus(Protocol):
    """Where events about mail accounts go."""

    def account_changed(self, event: str, account: MailAccount) -> None:
        """Publish `mail_account.<event>`. Never raises."""
        ...


class Breakers(Protocol):
    """What the accounts failed with."""

    def reset(self, account: MailAccount) -> None:
        """Forget it: the account may log in, and send, at once.

        Raises:
            TransientError: it is not forgotten.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAccount:
    """Verifies an account that was just connected, and writes what came of it."""

    grants: Grants
    verify: Verify
    bus: Bus
    breakers: Breakers
    clock: Callable[[], datetime]
    jitter: Callable[[], float]

    def __call__(self, account: MailAccount, *, deadline: float) -> Verification:
        """Log in by `deadline` (monotonic seconds); `mail_account.verified` is published if that works.

        Raises:
            AccountChanged: the account was changed meanwhile.
            TransientError: what came of it could not be written.
        """
        verification, now = self.verify(account, deadline=deadline), self.clock()
        error = verification.last_error(now)
        after = account.model_copy(
            update={
                "status": "not_verified" if error is not None else "verified",
                "verified_at": None if error is not None else now,
                "last_error": error,
            }
        )
        if error is None:
            self.breakers.reset(account)  # first: what is parked for it goes again once this is written
        self.grants.update(account, after, refresh_at=next_visit(after, now, jitter=self.jitter()))
        if error is None:
            self.bus.account_changed("verified", after)
        return verification


class LeftToSchedule:
    """Renews nothing: a grant that was given seconds ago is the schedule's, which may tell admins if it is lost."""

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """Never the account.

        Raises:
            GrantBusy: always; a token is used for as long as it lasts.
        """
        del project_id, account_id, refused_version, deadline
        raise GrantBusy("the schedule renews it")

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """Park nothing: the page says what the relay said."""
        del account, reply, verdict
