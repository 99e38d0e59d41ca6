"""A digest is published once, by one worker at a time, and ends what is in it in as many turns as that takes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.delivery_run import TimeLeft
from tocsin.actions.send_digest import SendDigest
from tocsin.errors import ServiceBusy
from tocsin.model.notification import Recipient
from tocsin.model.route import Route
from tocsin.model.shared_item import SharedItem, SharedItemsChanged
from tocsin.model.storm import StormGroup

from tests.unit.model.examples import NOW
from tests.unit.model.test_digest import held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tocsin.model.digest import HeldMail

GROUP = StormGroup(project_id="acme", route=Route.ALERT, mail_account_id=None, recipient="ana@example.org")
ANA = Recipient(email="ana@example.org")


@dataclass(slots=True, kw_only=True)
class World:
    """What is held, the item that workers share, the queue and the clock."""

    mails: list[HeldMail] = field(default_factory=list)
    shared: SharedItem = field(default_factory=lambda: SharedItem(key=GROUP.digest_key))
    published: list[Mapping[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    now: datetime = NOW + timedelta(minutes=30)
    dies_at: int | None = None
    writes: int = 0
    seconds: Callable[[], float] = lambda: 60.0

    def item(self, key: str) -> SharedItem:
        """What stands."""
        assert key == self.shared.key
        return self.shared

    def put(self, item: SharedItem) -> None:
        """Write it, if the one before it stands."""
        self.writes += 1
        if self.writes == self.dies_at:
            raise ServiceBusy("throttled")
        if item.version != self.shared.version + 1:
            raise SharedItemsChanged([self.shared])
        self.shared = item

    def held(self, group: StormGroup, *, until: datetime) -> list[HeldMail]:
        """What is held until then."""
        assert group == GROUP
        return [one for one in self.mails if one.held_at <= until]

    def end(self, mails: Sequence[HeldMail], digest_id: str, *, while_stands: SharedItem) -> Sequence[HeldMail]:
        """End them, while the item stands."""
        if while_stands != self.shared:
            raise SharedItemsChanged([self.shared])
        ended = [one for one in mails if one in self.mails]
        self.mails = [one for one in self.mails if one not in ended]
        del digest_id
        return ended

    def mails_digested(self, mails: Sequence[HeldMail], digest_id: str) -> None:
        """Note whom the bus was told of."""
        self.told += [digest_id for _ in mails]

    def send(self) -> int:
        """A worker's turn; how many mails are ended."""
        action = SendDigest(mails=self, publish=self.published.append, bus=self, clock=lambda: self.now)
        time_left = TimeLeft(seconds=self.seconds, monotonic=lambda: 0.0, function_timeout=60.0)
        return len(action(GROUP, ANA, time_left=time_left))


def test_a_digest_ends_all_that_is_in_it_and_tells_of_each() -> None:
    world = World(mails=[held(number) for number in range(250)])

    assert world.send() == 250
    assert [event["data"]["digest"]["count"] for event in world.published] == [250]
    assert len(world.told) == 250
    assert len(set(world.told)) == 1


def test_where_nothing_is_held_any_more_nothing_is_published() -> None:
    world = World()

    assert world.send() == 0
    assert world.published == []


def test_what_was_held_just_now_waits_for_the_next_digest() -> None:
    world = World(mails=[held(1), held(2)])
    world.now = world.mails[1].held_at + timedelta(seconds=1)

    assert world.send() == 0  # the index may know neither
    world.now += timedelta(seconds=4)
    assert world.send() == 2


def test_what_there_was_no_time_for_is_ended_in_the_next_turn_by_the_same_digest() -> None:
    left = iter([60.0, 60.0, 60.0, 60.0, 0.0, 0.0])
    world = World(mails=[held(number) for number in range(250)], seconds=lambda: next(left, 60.0))

    ended = world.send()

    assert 0 < ended < 250
    world.mails.append(held(1000))
    assert world.send() == 250 - ended
    assert len(world.published) == 1
    assert len(set(world.told)) == 1
    assert [one.held_at for one in world.mails] == [held(1000).held_at]
    assert world.send() == 1
    assert len(world.published) == 2


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_worker_that_dies_at_a_write_makes_nobody_hear_twice_of_one_mail(write: int) -> None:
    world = World(mails=[held(1), held(2)], dies_at=write)
    with suppress(ServiceBusy):
        world.send()

    world.mails.append(replace(held(3), held_at=world.now))  # the storm goes on
    for _ in range(3):
        world.now += timedelta(minutes=5)
        world.send()

    assert world.mails == []
    told = {event["id"]: event["data"]["digest"]["count"] for event in world.published}  # an id is mailed once
    assert sum(told.values()) == 3


def test_what_the_index_showed_too_late_for_a_digest_is_not_ended_by_it() -> None:
    world = World(mails=[held(1), held(3)], seconds=lambda: 0.0)
    assert world.send() == 0  # it is published, and then there is no time

    world.mails.append(held(2))
    world.seconds = lambda: 60.0

    assert world.send() == 2
    assert [one.held_at for one in world.mails] == [held(2).held_at]
    assert world.send() == 1
    assert [event["data"]["digest"]["count"] for event in world.published] == [2, 1]


def test_of_very_many_mails_it_is_not_kept_which_they_are() -> None:
    one = held(1)
    chunks = [replace(one.key.chunk, notification_key=f"{number:064}") for number in range(10_001)]
    mails = [replace(one, key=replace(one.key, chunk=chunk)) for chunk in chunks]
    world = World(mails=mails, seconds=lambda: 0.0)

    world.send()

    assert world.published[0]["data"]["digest"]["count"] == 10_001
    assert len(str(world.shared.document)) < 300


def test_a_second_worker_leaves_a_digest_to_the_first_for_as_long_as_that_may_live() -> None:
    world = World(mails=[held(1)])
    document = {"taken_until": (world.now + timedelta(seconds=65)).isoformat()}
    world.shared = world.shared.with_document(document, forgotten_at=world.now)

    assert world.send() == 0
    world.now += timedelta(seconds=65)
    assert world.send() == 1


def test_a_worker_that_was_too_slow_to_take_it_does_nothing() -> None:
    world = World(mails=[held(1)])
    taken = world.shared.with_document({}, forgotten_at=world.now)

    class Race(World):
        def put(self, item: SharedItem) -> None:
            """Somebody else was quicker."""
            del item
            self.shared = taken
            raise SharedItemsChanged([taken])

    race = Race(mails=world.mails)

    assert race.send() == 0
    assert race.published == []
