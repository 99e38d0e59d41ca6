"""When the schedule looks at a mail account: to renew its grant, and to warn of its client secret's end."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from tocsin.model.grant import GrantState, GrantType

if TYPE_CHECKING:
    from datetime import date

    from tocsin.model.mail_account import MailAccount

WARNED_DAYS = (30, 7, 1)
"""How many days before a client secret's end people are warned."""


def next_visit(account: MailAccount, now: datetime, *, jitter: float) -> datetime | None:
    """When the schedule is to look at the account next, spread by `jitter` (0 to 1); None: there is no need to."""
    renewal = _next_renewal(account, now, jitter) if is_renewable(account) else None
    return min((at for at in (renewal, _next_warning(account)) if at is not None), default=None)


def is_renewable(account: MailAccount) -> bool:
    """Whether there is a grant to renew, as far as we know: one that somebody consented to, and that is not lost."""
    oauth2 = account.auth.oauth2
    return oauth2 is not None and account.status != "reauthorization_required" and not awaits_consent(account)


def awaits_consent(account: MailAccount) -> bool:
    """Whether the account is one to be authorized in a browser, and nobody has done that yet."""
    oauth2, grant = account.auth.oauth2, account.grant
    by_browser = oauth2 is not None and oauth2.grant is GrantType.AUTHORIZATION_CODE
    return by_browser and (grant is None or grant.version == 0)


def warning_due(account: MailAccount, now: datetime) -> int | None:
    """The warning to be given by now, in days before the client secret's end; None where there is none."""
    end = _secret_end(account)
    due = [days for days in _not_given(account, end) if now >= _warned_at(end, days)] if end is not None else []
    return min(due, default=None)


def _next_renewal(account: MailAccount, now: datetime, jitter: float) -> datetime:
    state = account.grant or GrantState()
    at = max(state.refresh_at(now, jitter=jitter), now + state.may_be_renewed_in(now))
    return at if state.retry_at is None else max(at, state.retry_at)


def _next_warning(account: MailAccount) -> datetime | None:
    end = _secret_end(account)
    return None if end is None else min((_warned_at(end, days) for days in _not_given(account, end)), default=None)


def _secret_end(account: MailAccount) -> date | None:
    return account.auth.oauth2.client_secret_expires_on if account.auth.oauth2 is not None else None


def _not_given(account: MailAccount, end: date | None) -> tuple[int, ...]:
    """The warnings that are left; all of them where the secret that was warned of has been replaced."""
    state = account.grant
    given = state.warned_days if state is not None and state.warned_end == end else None
    return WARNED_DAYS if given is None else tuple(days for days in WARNED_DAYS if days < given)


def _warned_at(end: date, days: int) -> datetime:
    return datetime.combine(end - timedelta(days=days), time(), UTC)
