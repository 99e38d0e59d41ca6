"""Verifying a saved account: what is written, in which order, and what is not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.log_in import NoCredential
from tocsin.actions.verify_saved import VerifySaved
from tocsin.actions.verify_steps import VerifySteps
from tocsin.data.remedies import Remedies
from tocsin.errors import AccountChanged, ServiceBusy
from tocsin.model.reply import Phase, Reply
from tocsin.model.step_report import Finding, Step

from tests.unit.actions.grant_world import account as grant_account
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount


@dataclass(slots=True, kw_only=True)
class FakeWorld:
    """Relay, stores and bus in one; `done` is what happened, in order."""

    reply: Reply | None = None
    error: Exception | None = None
    done: list[str] = field(default_factory=list)
    written: list[MailAccount] = field(default_factory=list)
    renewed_to: str | None = None
    asked_until: list[float] = field(default_factory=list)

    def credential(self, account: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential | None]:
        self.asked_until.append(deadline)
        if self.renewed_to is not None:
            account = account.model_copy(update={"credential_version": self.renewed_to})
        return account, None

    def greet(self, account: MailAccount, *, deadline: float) -> Sequence[Finding]:
        del account, deadline
        return []

    def offer(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, *, deadline: float
    ) -> Sequence[Finding]:
        del account, credential, mail, deadline
        return [Finding(step=Step.AUTH, seconds=0.1, reply=self.reply)]

    def send(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, *, deadline: float
    ) -> Sequence[Finding]:
        return self.offer(account, credential, mail, deadline=deadline)

    def mailbox(self, account: MailAccount, credential: Credential | None, *, deadline: float) -> Sequence[Finding]:
        del account, credential, deadline
        return []

    def reset(self, account: MailAccount) -> None:
        del account
        self.done.append("reset")

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        del refresh_at
        self.done.append(f"update {before.credential_version}")
        if self.error is not None:
            raise self.error
        self.written.append(after)

    def account_changed(self, event: str, account: MailAccount) -> None:
        del account
        self.done.append(event)


def _action(world: FakeWorld) -> VerifySaved:
    steps = VerifySteps(trial=world, remedies=Remedies(), may_see_token=lambda _: True, monotonic=time.monotonic)
    return VerifySaved(
        steps=steps,
        credentials=world,
        grants=world,
        breakers=world,
        bus=world,
        clock=lambda: NOW,
        jitter=lambda: 0.0,
    )


def test_a_success_resets_the_breaker_before_it_lets_go_what_is_parked_and_tells_last() -> None:
    world = FakeWorld(renewed_to="v9")

    report = _action(world)(grant_account(), deadline=time.monotonic() + 5)

    assert report.passed
    assert world.done == ["reset", "update v9", "verified"]
    [after] = world.written
    assert (after.status, after.verified_at, after.last_error) == ("verified", NOW, None)


def test_a_failure_writes_its_error_and_nothing_else() -> None:
    world = FakeWorld(reply=Reply(phase=Phase.AUTH, code=535, text="5.7.8 no"))
    before = grant_account()

    report = _action(world)(before, deadline=time.monotonic() + 5)

    assert report.failed_step == "auth"
    [after] = world.written
    assert after.model_copy(update={"last_error": before.last_error}) == before.model_copy(
        update={"credential_version": after.credential_version}
    )
    assert after.last_error is not None
    assert (after.last_error.code, after.last_error.at) == (535, NOW)
    assert "verified" not in world.done
    assert "reset" not in world.done


@pytest.mark.parametrize("error", [AccountChanged("edited"), ServiceBusy("busy")])
def test_who_changed_it_meanwhile_knows_better_and_the_report_is_still_given(error: Exception) -> None:
    world = FakeWorld(error=error)

    assert _action(world)(grant_account(), deadline=time.monotonic() + 5).passed
    assert "verified" not in world.done


@pytest.mark.parametrize(
    ("seconds", "left_to_ask"),
    [pytest.param(20.0, 16.0, id="four-of-twenty"), pytest.param(60.0, 30.0, id="no-longer-than-any-phase")],
)
def test_time_is_kept_to_store_what_a_renewal_gives(seconds: float, left_to_ask: float) -> None:
    world = FakeWorld()
    begun = time.monotonic()

    _action(world)(grant_account(), deadline=begun + seconds)

    assert world.asked_until == [pytest.approx(begun + left_to_ask, abs=1.0)]


def test_a_test_message_writes_nothing() -> None:
    world = FakeWorld(reply=Reply(phase=Phase.AUTH, code=535, text="no"))

    report = _action(world).send(grant_account(), None, deadline=time.monotonic() + 5)

    assert report.failed_step == "settings"
    assert world.done == []


def test_no_credential_is_a_failure_of_auth_with_the_verdict_that_came_with_it() -> None:
    world = FakeWorld()

    def nothing(_: float) -> None:
        raise NoCredential(Reply(phase=Phase.SETTINGS, code=None, text="token_missing"))

    report = _action(world).steps(grant_account(), nothing, deadline=time.monotonic() + 5)

    assert report.failed_step == "auth"
    assert report.last_error(NOW) is not None
