"""What a month that is used up leaves behind goes in the next, whatever stands in the way of the other accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tocsin.errors import ServiceBusy
from tocsin.model.delivery import State
from tocsin.model.rate import next_month
from tocsin.model.reply import Phase, Reply

from tests.unit.actions.fakes import FakeSession
from tests.unit.actions.storm_world import StormWorld
from tests.unit.model.examples import NOW, account, event, settings

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.actions.gate import News
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict

_REFUSED = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="5.7.8 bad credentials")
_OUT_OF_REACH = Reply(phase=Phase.CONNECT, code=None, text="timed out")


@dataclass(slots=True, kw_only=True)
class _World(StormWorld):
    """A project whose accounts have limits. `marked` are those whose parked mails go later, unless that `is_busy`."""

    marked: set[tuple[str | None, datetime]] = field(default_factory=set)
    is_busy: bool = False

    def month_used_up(self, project_id: str, account: MailAccount | None, until: datetime) -> None:
        assert project_id == "acme"
        if self.is_busy:
            raise ServiceBusy("throttled")
        self.marked.add((account.id if account is not None else None, until))

    def deliveries_failed(self, project_id: str, *, received_at: datetime) -> None:
        """Nobody sums them up."""

    def tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        """Nobody listens."""

    def publish_one(self, number: int) -> None:
        self.publish(event(id=f"event-{number}"), at=self.now)
        self.work()


_MONTHLY = {"per_month": 1}


@pytest.mark.parametrize(
    "accounts",
    [
        pytest.param([account(enabled=False), account("second", limits=_MONTHLY)], id="of-the-second"),
        pytest.param([account(limits=_MONTHLY), account("second", enabled=False)], id="of-the-first"),
    ],
)
def test_beside_an_account_that_is_disabled_the_other_s_next_month_is_marked(accounts: list[MailAccount]) -> None:
    limited = next(one.id for one in accounts if one.enabled)
    world = _World(settings_now=settings(*accounts, fallback_policy="project"))

    world.publish_one(1)
    assert world.states() == {State.ACCEPTED: 1}
    world.publish_one(2)

    assert world.states() == {State.ACCEPTED: 1, State.PARKED: 1}
    assert world.marked == {(limited, next_month(NOW))}


def test_a_project_s_month_is_marked_beside_an_account_that_is_disabled() -> None:
    accounts = [account(enabled=False), account("second")]
    world = _World(settings_now=settings(*accounts, fallback_policy="project", limits=_MONTHLY))

    world.publish_one(1)
    world.publish_one(2)

    assert world.states() == {State.ACCEPTED: 1, State.PARKED: 1}
    assert world.marked == {(None, next_month(NOW))}


def test_where_the_fall_back_is_refused_the_first_one_s_next_month_is_marked() -> None:
    accounts = [account(limits=_MONTHLY), account("second")]
    world = _World(settings_now=settings(*accounts, fallback_policy="project"))

    world.publish_one(1)
    world.relay = FakeSession(replies=[_REFUSED])
    world.publish_one(2)

    assert world.states() == {State.ACCEPTED: 1, State.PARKED: 1}
    assert world.marked == {("first", next_month(NOW))}


def test_nothing_is_parked_for_the_next_month_before_that_is_marked() -> None:
    world = _World(settings_now=settings(account(limits=_MONTHLY)), is_busy=True)

    world.publish_one(1)
    with pytest.raises(ServiceBusy):
        world.publish_one(2)

    assert world.states() == {State.ACCEPTED: 1}


def test_what_another_account_will_send_soon_is_not_parked_for_the_next_month() -> None:
    accounts = [account(limits=_MONTHLY), account("second")]
    world = _World(settings_now=settings(*accounts, fallback_policy="project"))

    world.publish_one(1)
    world.relay = FakeSession(replies=iter([_OUT_OF_REACH]))
    world.publish_one(2)

    assert world.states() == {State.ACCEPTED: 2}
    assert world.marked == set()
