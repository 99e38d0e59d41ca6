"""How often a secret is written, however short its tokens' life is: Secrets Manager keeps about 100 versions a day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.errors import TransientError
from tocsin.model.grant import Tokens
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.unit.actions.grant_world import NOW, World, account, failure

if TYPE_CHECKING:
    from tocsin.actions.renew_grant import RenewGrant
    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import GrantState
    from tocsin.model.mail_account import MailAccount

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
_VERSIONS = 100


@dataclass
class Days(World):
    """A provider whose tokens live for `life` and whose refresh tokens are good once, and Secrets Manager's quota.

    A mail that needs a token comes every `mail_every`, and the schedule runs every five minutes.
    """

    account: MailAccount | None = field(
        default_factory=lambda: account(renewed_at=NOW - DAY, access_token_expires_at=NOW)
    )
    refresh_at: datetime | None = NOW
    life: timedelta = 60 * MINUTE
    mail_every: timedelta | None = None
    now: datetime = NOW
    good: str = "old-refresh"
    puts: list[datetime] = field(default_factory=list)
    waits: list[timedelta] = field(default_factory=list)
    lapsing: int = 0

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        if len(self.puts_since(self.now - DAY)) >= _VERSIONS:
            raise TransientError("Secrets Manager says LimitExceededException")
        self.puts.append(self.now)
        return super().put_secret(of, new)

    def renew(self, of: MailAccount, by: AccountSecret, *, now: datetime, deadline: float | None = None) -> Tokens:
        del of, deadline
        assert by.refresh_token is not None
        if by.refresh_token.get_secret_value() != self.good:
            raise failure(GrantRefused)
        self.requests += 1
        self.good = f"refresh-{self.requests}"
        return Tokens(access_token="t", expires_at=now + self.life, refresh_token=self.good)

    def puts_since(self, moment: datetime) -> list[datetime]:
        return [at for at in self.puts if at > moment]

    @property
    def grant(self) -> GrantState:
        assert self.account is not None
        assert self.account.grant is not None
        return self.account.grant

    @property
    def action(self) -> RenewGrant:
        return replace(super().action, clock=lambda: self.now)

    def pass_by(self, days: int) -> None:
        for minute in range(days * 24 * 60):
            self.now = NOW + minute * MINUTE
            if minute % 5 == 0 and self.refresh_at is not None and self.refresh_at <= self.now:
                self.action.visit("acme", "A1")
            if self.mail_every is not None and (self.now - NOW) % self.mail_every < MINUTE:
                self._send()
            self.lapsing += self.grant.lapses_soon(self.now)

    def _send(self) -> None:
        """Renew the token if it does not last, as a delivery does; where it cannot be, the mail waits."""
        if not self.grant.lapses_soon(self.now):
            return
        try:
            self.action("acme", "A1")
        except TokenEndpointFailed as failed:
            if self.grant.has_lapsed(self.now):
                self.waits.append(timedelta(seconds=failed.verdict.wait_seconds or 0))


_LIVES = [1, 5, 10, 15, 20, 30, 45, 60, 90, 24 * 60]


@pytest.mark.parametrize("life", _LIVES)
def test_the_schedule_alone_writes_a_secret_58_times_a_day_at_most(life: int) -> None:
    days = Days(life=life * MINUTE)

    days.pass_by(1)

    assert len(days.puts) <= 58
    assert min((after - before for before, after in zip(days.puts, days.puts[1:], strict=False)), default=DAY) >= (
        25 * MINUTE
    )


@pytest.mark.parametrize("life", [life for life in _LIVES if life >= 45])
def test_the_schedule_keeps_tokens_fresh_that_live_for_45_minutes(life: int) -> None:
    days = Days(life=life * MINUTE)

    days.pass_by(1)

    assert days.lapsing == 0


@pytest.mark.parametrize("mail_every", [MINUTE, 7 * MINUTE, 45 * MINUTE], ids=str)
@pytest.mark.parametrize("life", _LIVES)
def test_no_traffic_uses_the_versions_up_or_loses_a_grant_that_rotates(life: int, mail_every: timedelta) -> None:
    days = Days(life=life * MINUTE, mail_every=mail_every)

    days.pass_by(3)

    assert max(len([at for at in days.puts if since < at <= since + DAY]) for since in [NOW - MINUTE, *days.puts]) <= 94
    assert days.grant.failures == 0
    assert days.account is not None
    assert days.account.status == "verified"
    assert days.good == f"refresh-{len(days.puts)}"


@pytest.mark.parametrize(("life", "mail_every", "waits"), [(30, 1, 0), (15, 60, 0), (5, 20, 0), (5, 1, 20)])
def test_a_mail_waits_for_a_token_only_where_tokens_of_minutes_are_needed_all_day(
    life: int, mail_every: int, waits: int
) -> None:
    days = Days(life=life * MINUTE, mail_every=mail_every * MINUTE)

    days.pass_by(3)

    assert max(days.waits, default=timedelta(0)) <= waits * MINUTE
    assert bool(days.waits) is (waits > 0)
