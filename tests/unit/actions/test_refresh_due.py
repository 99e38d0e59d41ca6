"""Renewing what is due: shards take turns, starts are paced, trouble stays its own, and the end is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.refresh_due import RefreshDue
from tocsin.actions.renew_grant import RenewalOutcome, Visit
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.unit.actions.grant_world import NOW, account, failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount


@dataclass
class World:
    """Fakes of all that the action needs, with a clock that each start moves on.

    `stored` is the account that is found, `outcome` what its visits come to; `bad` maps account ids to errors.
    """

    shards: list[list[str]]
    bad: dict[str, Exception] = field(default_factory=dict)
    stored: MailAccount | None = field(default_factory=account)
    outcome: RenewalOutcome = RenewalOutcome.RENEWED
    warning_fails: bool = False
    seconds_a_grant: float = 0.0
    now: float = 0.0
    renewed: list[str] = field(default_factory=list)
    warned: list[MailAccount] = field(default_factory=list)
    troubles: list[tuple[str, str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def due(self, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        assert now == NOW
        return iter([("acme", account_id) for account_id in self.shards[shard]])

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        assert (project_id, account_id) in [("acme", one) for shard in self.shards for one in shard]
        return self.stored

    def visit(self, project_id: str, account_id: str) -> Visit:
        del project_id
        with self.lock:
            self.now += self.seconds_a_grant
            if account_id in self.bad:
                raise self.bad[account_id]
            self.renewed.append(account_id)
        assert self.stored is not None
        return Visit(before=self.stored, after=account(version=4), outcome=self.outcome)

    def warn(self, account: MailAccount) -> None:
        self.warned.append(account)
        if self.warning_fails:
            raise RuntimeError("a bug")

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def run(self, *, until: float = 1000.0, starts_per_second: float = 1000.0) -> dict[str, int]:
        return dict(
            RefreshDue(
                grants=self,
                renew=self,
                warn=self.warn,
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
    world = World([["a1", "a2", "a3"]], bad={"a2": RuntimeError("something nobody thought of")})

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

    def visit(self, project_id: str, account_id: str) -> Visit:
        self.now += 10.0 if account_id == "slow" else 0.0
        return super().visit(project_id, account_id)


def test_a_slow_start_is_not_made_up_for_by_a_burst() -> None:
    world = OneSlow([["slow", "a1", "a2", "a3"]])

    world.run(starts_per_second=4.0)

    assert world.pauses == [0.25, 0.25]


@pytest.mark.parametrize("outcome", RenewalOutcome)
def test_what_came_of_each_visit_is_counted_apart_and_the_account_as_it_was_left_is_warned_of(
    outcome: RenewalOutcome,
) -> None:
    world = World([["a1", "a2"]], outcome=outcome)

    assert world.run() == {outcome.value: 2}
    assert world.warned == [account(version=4)] * 2
    assert world.troubles == []


@pytest.mark.parametrize("kind", [GrantRefused, TokenEndpointFailed], ids=["for-good", "for-now"])
def test_an_account_whose_renewal_fails_is_warned_of_all_the_same(
    kind: type[GrantRefused | TokenEndpointFailed],
) -> None:
    world = World([["a1"]], bad={"a1": failure(kind)})

    assert world.run() == {kind.__name__: 1}
    assert world.warned == [world.stored]
    assert world.troubles == [("acme", "a1", kind.__name__)]


def test_an_account_that_is_gone_is_not_warned_of() -> None:
    world = World([["a1"]], bad={"a1": RuntimeError("gone")}, stored=None)

    assert world.run() == {"RuntimeError": 1}
    assert world.warned == []


@pytest.mark.parametrize(
    ("bad", "counts", "troubles"),
    [
        ({}, {"renewed": 1, "not_warned": 1}, ["RuntimeError"]),
        (
            {"a1": failure(GrantRefused)},
            {"GrantRefused": 1, "not_warned": 1},
            ["GrantRefused", "RuntimeError"],
        ),
    ],
    ids=["renewed", "refused"],
)
def test_a_warning_that_fails_hides_nothing_of_the_renewal(
    bad: dict[str, Exception], counts: dict[str, int], troubles: list[str]
) -> None:
    world = World([["a1"]], bad=bad, warning_fails=True)

    assert world.run() == counts
    assert [trouble[2] for trouble in world.troubles] == troubles


@pytest.mark.parametrize(
    ("state", "status", "lateness"),
    [
        pytest.param({"access_token_expires_at": NOW + timedelta(minutes=11)}, "verified", {}, id="in-time"),
        pytest.param({"access_token_expires_at": NOW + timedelta(minutes=10)}, "verified", {"late": 1}, id="margin"),
        pytest.param({"access_token_expires_at": NOW}, "verified", {"late": 1, "lapsed": 1}, id="lapsed"),
        pytest.param(
            {"renewed_at": NOW - timedelta(minutes=30), "access_token_expires_at": NOW},
            "verified",
            {},
            id="short-lived",
        ),
        pytest.param({"access_token_expires_at": None}, "verified", {}, id="new"),
        pytest.param({"access_token_expires_at": NOW}, "reauthorization_required", {}, id="lost"),
    ],
)
@pytest.mark.parametrize(
    ("bad", "counted"),
    [({}, "renewed"), ({"a1": failure(TokenEndpointFailed)}, "TokenEndpointFailed")],
    ids=["renewed", "failed"],
)
def test_grants_that_are_found_late_or_lapsed_are_counted_whatever_the_renewal_came_to(
    bad: dict[str, Exception], counted: str, state: dict[str, Any], status: str, lateness: dict[str, int]
) -> None:
    found = account(**{"renewed_at": NOW - timedelta(hours=1)} | state).model_copy(update={"status": status})
    world = World([["a1"]], bad=bad, stored=found)

    assert world.run() == {counted: 1} | lateness
