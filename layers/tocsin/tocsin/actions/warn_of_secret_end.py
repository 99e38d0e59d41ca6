"""Warn a project's admins 30, 7 and 1 days before a client secret ends."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import AccountChanged
from tocsin.model.grant import GrantState
from tocsin.model.visits import next_visit, warning_due

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.grant_ports import AccountBus, Grants
    from tocsin.model.mail_account import MailAccount


class ExpiryNotices(Protocol):
    """The people who look after a project."""

    def secret_expiring(self, account: MailAccount, days: int) -> None:
        """Tell them that the account's client secret ends in `days` days. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnOfSecretEnd:
    """The action and all that it needs."""

    grants: Grants
    bus: AccountBus
    admins: ExpiryNotices
    clock: Callable[[], datetime]
    jitter: Callable[[], float]

    def __call__(self, account: MailAccount) -> None:
        """Warn once at each of the three times; what was warned of is written before anybody is told."""
        oauth2, now = account.auth.oauth2, self.clock()
        warning = warning_due(account, now)
        if warning is None or oauth2 is None or oauth2.client_secret_expires_on is None:
            return
        end = oauth2.client_secret_expires_on
        state = (account.grant or GrantState()).model_copy(update={"warned_days": warning, "warned_end": end})
        after = account.model_copy(update={"grant": state})
        with suppress(AccountChanged):
            self.grants.update(account, after, refresh_at=next_visit(after, now, jitter=self.jitter()))
            self.bus.account_changed("secret_expiring", after)
            self.admins.secret_expiring(after, max((end - now.date()).days, 0))
