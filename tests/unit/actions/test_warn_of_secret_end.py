"""Admins are warned 30, 7 and 1 days before a client secret ends, once each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.warn_of_secret_end import WarnOfSecretEnd
from tocsin.errors import AccountChanged

from tests.unit.actions.grant_world import NOW, ending_on

if TYPE_CHECKING:
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount


@dataclass
class World:
    """Fakes of all that the action needs; what was written and told, in order."""

    account: MailAccount
    edited: bool = False
    told: list[str] = field(default_factory=list)
    visits: list[datetime | None] = field(default_factory=list)

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        raise AssertionError(project_id, account_id)

    def current_secret(self, of: MailAccount) -> AccountSecret:
        raise AssertionError(of.id)

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        raise AssertionError(of.id, new)

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        assert before is self.account
        if self.edited:
            raise AccountChanged("edited")
        self.visits.append(refresh_at)
        self.account = after

    def account_changed(self, event: str, of: MailAccount) -> None:
        assert of is self.account
        self.told.append(event)

    def secret_expiring(self, of: MailAccount, days: int) -> None:
        assert of is self.account
        self.told.append(f"{days} days")

    def warn(self, on: datetime) -> None:
        WarnOfSecretEnd(grants=self, bus=self, admins=self, clock=lambda: on, jitter=lambda: 0.0)(self.account)


@pytest.fixture(params=["verified", "reauthorization_required"])
def status(request: pytest.FixtureRequest) -> str:
    """The status of an account that renews, and of one that cannot."""
    return str(request.param)


def _ending(in_days: int | None, status: str = "verified") -> World:
    one = ending_on(NOW + timedelta(days=in_days) if in_days is not None else None)
    return World(one.model_copy(update={"status": status}))


def test_each_warning_is_given_once(status: str) -> None:
    world = _ending(40, status)

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
    assert world.account.status == status


def test_a_visit_is_kept_for_every_warning_that_is_left_and_none_after_the_last() -> None:
    world = _ending(30, "reauthorization_required")

    for days in (0, 23, 29):
        world.warn(NOW + timedelta(days=days))

    midnight = NOW.replace(hour=0)
    assert world.visits == [midnight + timedelta(days=23), midnight + timedelta(days=29), None]


def test_a_secret_that_replaced_another_is_warned_of_anew() -> None:
    world = _ending(1)
    world.warn(NOW)
    later = ending_on(NOW + timedelta(days=365)).model_copy(update={"grant": world.account.grant})
    world.account, world.told = later, []

    world.warn(NOW + timedelta(days=335))

    assert world.told == ["secret_expiring", "30 days"]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        pytest.param(31, [], id="too-early"),
        pytest.param(5, ["secret_expiring", "5 days"], id="an-earlier-one-was-missed"),
        pytest.param(-3, ["secret_expiring", "0 days"], id="it-is-over"),
    ],
)
def test_the_first_warning_is_the_one_that_fits(days: int, told: list[str]) -> None:
    world = _ending(days)

    world.warn(NOW)

    assert world.told == told


def test_a_secret_without_an_end_is_never_warned_of() -> None:
    world = _ending(None)

    world.warn(NOW)

    assert world.told == []


def test_of_an_account_that_was_edited_meanwhile_nothing_is_told() -> None:
    world = _ending(1)
    world.edited = True

    world.warn(NOW)

    assert world.told == []
