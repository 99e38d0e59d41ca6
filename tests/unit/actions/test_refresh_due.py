"""Renewing what is due: shards take turns, starts are paced, trouble stays its own, and the end is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.refresh_due import RefreshDue

from tests.unit.actions.test_renew_grant import NOW, account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


@dataclass
class World:
    """Fakes of all that the action needs, with a clock that each start moves on."""

    shards: list[list[str]]
    bad: frozenset[str] = frozenset()
    seconds_a_grant: float = 0.0
    now: float = 0.0
    renewed: list[str] = field(default_factory=list)
    troubles: list[tuple[str, str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def due(self, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        assert now == NOW
        return iter([("acme", account_id) for account_id in self.shards[shard]])

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        del project_id, refused_version, deadline
        with self.lock:
            self.now += self.seconds_a_grant
            if account_id in self.bad:
                raise RuntimeError("something nobody thought of")
            self.renewed.append(account_id)
        return account()

    def refused(self, of: MailAccount, reply: Reply, verdict: Verdict) -> None:
        raise AssertionError(of.id, reply, verdict)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def run(self, *, until: float = 1000.0, starts_per_second: float = 1000.0) -> dict[str, int]:
        return dict(
            RefreshDue(
                grants=self,
                renew=self,
                warn=lambda _: None,  # type: ignore[arg-type]  # a callable as the action is one
                shards=len(self.shards),
                workers=1,
                starts_per_second=starts_per_second,
                clock=lambda: NOW,
                monotonic=lambda: self.now,
                on_trouble=lambda *trouble: self.troubles.append(trouble),
                pause=self.pause,
            )(until=until)
        )


def test_shards_take_turns() -> None:
    world = World([["a1", "a2", "a3"], ["b1"], [], ["d1", "d2"]])

    assert world.run() == {"renewed": 6}
    assert world.renewed == ["a1", "b1", "d1", "a2", "d2", "a3"]


def test_one_bad_grant_stops_no_other_and_is_told_with_its_ids() -> None:
    world = World([["a1", "a2", "a3"]], bad=frozenset({"a2"}))

    assert world.run() == {"renewed": 2, "RuntimeError": 1}
    assert world.troubles == [("acme", "a2", "RuntimeError")]


def test_nothing_begins_after_its_time_and_the_rest_is_for_the_next_run() -> None:
    world = World([[f"a{number}" for number in range(10)]], seconds_a_grant=10.0)

    counts = world.run(until=35.0)

    assert counts["left_for_next_run"] >= 1
    assert world.renewed == ["a0", "a1", "a2", "a3"]


def test_starts_are_paced() -> None:
    world = World([["a1", "a2", "a3", "a4"]])

    world.run(starts_per_second=2.0)

    assert sum(world.pauses) == pytest.approx(1.5)


def test_a_run_whose_time_is_over_begins_nothing_and_looks_no_further() -> None:
    world = World([["a1", "a2", "a3"]])

    assert world.run(until=0.0) == {"left_for_next_run": 1}
    assert world.renewed == []


def test_a_start_whose_time_ended_while_it_waited_for_its_pace_is_left_for_the_next_run() -> None:
    world = World([["a1", "a2"]])

    assert world.run(until=1.0, starts_per_second=0.5) == {"renewed": 1, "left_for_next_run": 1}
    assert world.renewed == ["a1"]


@dataclass
class OneSlow(World):
    """A world with one grant that takes its time."""

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        self.now += 10.0 if account_id == "slow" else 0.0
        return super().__call__(project_id, account_id, refused_version=refused_version, deadline=deadline)


def test_a_slow_start_is_not_made_up_for_by_a_burst() -> None:
    world = OneSlow([["slow", "a1", "a2", "a3"]])

    world.run(starts_per_second=4.0)

    assert world.pauses == [0.25, 0.25]


@pytest.mark.parametrize(("error", "counted"), [(None, "renewed"), (RuntimeError("a bug"), "RuntimeError")])
def test_each_renewed_grant_is_warned_of_and_a_warning_that_fails_stays_its_own(
    error: Exception | None, counted: str
) -> None:
    world, warned = World([["a1", "a2"]]), count()

    def warn(_: MailAccount) -> None:
        next(warned)
        if error is not None:
            raise error

    action = RefreshDue(
        grants=world,
        renew=world,
        warn=warn,  # type: ignore[arg-type]  # a callable as the action is one
        shards=1,
        workers=1,
        starts_per_second=1000.0,
        clock=lambda: NOW,
        monotonic=lambda: world.now,
        on_trouble=lambda *trouble: world.troubles.append(trouble),
        pause=world.pause,
    )

    assert action(until=1000.0) == {counted: 2}
    assert next(warned) == 2
    assert [trouble[1:] for trouble in world.troubles] == ([] if error is None else [("a1", counted), ("a2", counted)])
