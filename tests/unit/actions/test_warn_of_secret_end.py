"""Admins are warned 30, 7 and 1 days before a client secret ends, once each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.warn_of_secret_end import WarnOfSecretEnd
from tocsin.errors import AccountChanged

from tests.unit.actions.test_renew_grant import NOW, account

if TYPE_CHECKING:
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount


@dataclass
class World:
    """Fakes of all that the action needs; what was written and told, in order."""

    account: MailAccount
    edited: bool = False
    told: list[str] = field(default_factory=list)

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        raise AssertionError(project_id, account_id)

    def current_secret(self, of: MailAccount) -> AccountSecret:
        raise AssertionError(of.id)

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        raise AssertionError(of.id, new)

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        assert before is self.account
        assert refresh_at is not None
        if self.edited:
            raise AccountChanged("edited")
        self.account = after

    def account_changed(self, event: str, of: MailAccount) -> None:
        assert of is self.account
        self.told.append(event)

    def secret_expiring(self, of: MailAccount, days: int) -> None:
        assert of is self.account
        self.told.append(f"{days} days")

    def warn(self, on: datetime) -> None:
        WarnOfSecretEnd(grants=self, bus=self, admins=self, clock=lambda: on, jitter=lambda: 0.0)(self.account)


def _ending_on(end: date | None, **changes: object) -> World:
    plain = account(**changes)
    assert plain.auth.oauth2 is not None
    oauth2 = plain.auth.oauth2.model_copy(update={"client_secret_expires_on": end})
    return World(plain.model_copy(update={"auth": plain.auth.model_copy(update={"oauth2": oauth2})}))


def test_each_warning_is_given_once() -> None:
    world = _ending_on((NOW + timedelta(days=40)).date())

    for day in range(41):
        world.warn(NOW + timedelta(days=day))
        world.warn(NOW + timedelta(days=day, hours=1))

    assert world.told == [
        "secret_expiring",
        "30 days",
        "secret_expiring",
        "7 days",
        "secret_expiring",
        "1 days",
    ]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        pytest.param(31, [], id="too-early"),
        pytest.param(5, ["secret_expiring", "5 days"], id="an-earlier-one-was-missed"),
        pytest.param(-3, ["secret_expiring", "0 days"], id="it-is-over"),
    ],
)
def test_the_first_warning_is_the_one_that_fits(days: int, told: list[str]) -> None:
    world = _ending_on((NOW + timedelta(days=days)).date())

    world.warn(NOW)

    assert world.told == told


def test_a_secret_without_an_end_is_never_warned_of() -> None:
    world = _ending_on(None)

    world.warn(NOW)

    assert world.told == []


def test_of_an_account_that_was_edited_meanwhile_nothing_is_told() -> None:
    world = _ending_on((NOW + timedelta(days=1)).date())
    world.edited = True

    world.warn(NOW)

    assert world.told == []
