"""Confirming a connected account: it is logged in once, with the token that was just given, and told of once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.confirm_account import ConfirmAccount, LeftToSchedule
from tocsin.actions.log_in import LogIn, NoCredential
from tocsin.actions.verify import Verification
from tocsin.errors import AccountChanged, GrantBusy
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply

from tests.unit.actions.grant_world import HOUR, NOW, account, secret

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount

_IN = Verification(reply=Reply(phase=Phase.AUTH, code=235, text="2.7.0 ok"), verdict=None)
_OUT = Verification(
    reply=Reply(phase=Phase.AUTH, code=535, text="5.7.8 no"),
    verdict=Verdict(failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Do this."),
)


@dataclass
class World:
    """Fakes of all that the action needs."""

    verification: Verification = _IN
    edited: bool = False
    written: list[tuple[MailAccount, datetime | None]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    reset_breakers: list[str] = field(default_factory=list)

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        raise AssertionError(project_id, account_id)

    def current_secret(self, of: MailAccount) -> AccountSecret:
        raise AssertionError(of.id)

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        raise AssertionError(of.id, new)

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        assert before.credential_version == after.credential_version
        if self.edited:
            raise AccountChanged("edited")
        self.written.append((after, refresh_at))

    def reset(self, of: MailAccount) -> None:
        assert not self.written, "what is parked may go already"
        self.reset_breakers.append(of.id)

    def verify(self, account: MailAccount, *, deadline: float) -> Verification:
        assert (account.id, deadline) == ("A1", 9.0)
        return self.verification

    def account_changed(self, event: str, of: MailAccount) -> None:
        self.told.append(f"{event} {of.status}")

    def confirm(self) -> Verification:
        action = ConfirmAccount(
            grants=self, verify=self.verify, bus=self, breakers=self, clock=lambda: NOW, jitter=lambda: 0.0
        )
        return action(account(), deadline=9.0)


@pytest.mark.parametrize(
    ("verification", "status", "remedy", "told"),
    [(_IN, "verified", None, ["verified verified"]), (_OUT, "not_verified", "Do this.", [])],
    ids=["in", "out"],
)
def test_what_the_login_came_to_is_written_and_only_success_is_published(
    verification: Verification, status: str, remedy: str | None, told: list[str]
) -> None:
    world = World(verification)

    assert world.confirm() is verification

    [(after, refresh_at)] = world.written
    assert after.status == status
    assert after.verified_at == (NOW if status == "verified" else None)
    assert (after.last_error.remedy if after.last_error is not None else None) == remedy
    assert refresh_at == NOW + HOUR - timedelta(minutes=20)
    assert world.told == told
    assert world.reset_breakers == (["A1"] if status == "verified" else [])


def test_of_an_account_that_was_changed_meanwhile_nothing_is_published() -> None:
    world = World(edited=True)

    with pytest.raises(AccountChanged):
        world.confirm()

    assert world.told == []


class _Secrets:
    def secret(self, of: MailAccount) -> AccountSecret:
        return secret(saved_for=of.secret_binding)


def _at_own_provider(expires_at: datetime) -> MailAccount:
    one = account(renewed_at=NOW - timedelta(seconds=9), access_token_expires_at=expires_at)
    assert one.auth.oauth2 is not None
    urls = {"token_url": "https://login.example/token", "scopes": ("mail",)}
    oauth2 = one.auth.oauth2.model_copy(update=urls)
    return one.model_copy(update={"auth": one.auth.model_copy(update={"oauth2": oauth2})})


def test_a_token_of_seconds_is_used_while_it_lasts_and_not_renewed() -> None:
    one = _at_own_provider(NOW + timedelta(seconds=1))
    log_in = LogIn(secrets=_Secrets(), renew=LeftToSchedule(), clock=lambda: NOW)

    _, credential = log_in.credential(one, deadline=9.0)

    assert credential is not None
    assert credential.token == "old"


def test_a_token_that_has_ended_already_is_left_to_the_schedule() -> None:
    log_in = LogIn(secrets=_Secrets(), renew=LeftToSchedule(), clock=lambda: NOW)

    with pytest.raises(NoCredential) as none:
        log_in.credential(_at_own_provider(NOW), deadline=9.0)

    assert none.value.reply.text == "grant_busy"
    with pytest.raises(GrantBusy):
        LeftToSchedule()("acme", "A1", refused_version="v3")
