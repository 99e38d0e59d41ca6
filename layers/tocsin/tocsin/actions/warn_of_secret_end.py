"""Warn a project's admins 30, 7 and 1 days before a client secret ends."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import AccountChanged
from tocsin.model.grant import GrantState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.renew_grant import AccountBus, Grants
    from tocsin.model.mail_account import MailAccount

_WARNINGS = (30, 7, 1)


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
        oauth2 = account.auth.oauth2
        if oauth2 is None or oauth2.client_secret_expires_on is None:
            return
        state = account.grant or GrantState()
        now = self.clock()
        days = (oauth2.client_secret_expires_on - now.date()).days
        stage = next((stage for stage in reversed(_WARNINGS) if days <= stage), None)
        if stage is None or (state.warned_days is not None and state.warned_days <= stage):
            return
        state = state.model_copy(update={"warned_days": stage})
        after = account.model_copy(update={"grant": state})
        with suppress(AccountChanged):
            self.grants.update(account, after, refresh_at=state.refresh_at(now, jitter=self.jitter()))
            self.bus.account_changed("secret_expiring", after)
            self.admins.secret_expiring(after, max(days, 0))
