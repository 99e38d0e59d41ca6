"""Summaries of failed deliveries: for whom, of what, once, and never at another project's cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.summarise_failures import SummariseFailures
from tocsin.model.day_of_failures import FAILED, FailureMark
from tocsin.model.delivery import State
from tocsin.model.delivery_search import Found, Position, Search

from tests.unit.model.examples import account, settings
from tests.unit.model.test_day_of_failures import DUE, MARK, failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tocsin.model.delivery_record import DeliveryRecord
    from tocsin.model.project import Project, ProjectSettings
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

type Json = dict[str, Any]

ADMINS: list[Json] = [{"email": "carla@example.org"}]
ACME = settings(account(), admins=ADMINS)


@dataclass
class World:
    """Fakes of all that the action needs. `pages` are of deliveries; reading one takes `seconds_a_page`."""

    pages: list[list[DeliveryRecord]] = field(default_factory=list)
    marks: list[FailureMark] = field(default_factory=lambda: [MARK])
    projects: Mapping[str, ProjectSettings | Exception | None] = field(default_factory=lambda: {"acme": ACME})
    refusal: Exception | None = None
    seconds_a_page: float = 0.0
    now: float = 0.0
    searches: list[Search] = field(default_factory=list)
    told: list[tuple[str, Json, datetime]] = field(default_factory=list)
    finished: list[FailureMark] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)

    def due(self, now: datetime) -> Sequence[FailureMark]:
        assert now == DUE
        return self.marks

    def done(self, mark: FailureMark) -> None:
        self.finished.append(mark)

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        assert (project_id, size) == ("acme", 100)
        self.searches.append(search)
        self.now += self.seconds_a_page
        number = int(behind.at) if behind is not None else 0
        more = number + 1 < len(self.pages)
        keys = [record.key for record in self.pages[number]] if self.pages else []
        return Found(keys=keys, behind=Position(at=str(number + 1)) if more else None)

    def records(self, keys: list[DeliveryKey]) -> list[DeliveryRecord]:
        return [record for page in self.pages for record in page if record.key in keys]

    def project(self, project_id: str) -> ProjectSettings | None:
        found = self.projects[project_id]
        if isinstance(found, Exception):
            raise found
        return found

    def failed_summary(self, project: Project, failures: Json, *, due_at: datetime) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.told.append((project.project_id, failures, due_at))

    def text(self, remedy_id: str) -> str | None:
        return f"Do what {remedy_id} says."

    def verdict(self, reply: Reply, *, auth_type: str) -> Verdict:
        raise NotImplementedError(reply, auth_type)

    def run(self, *, until: float = 100.0) -> Json:
        summarise = SummariseFailures(
            marks=self,
            deliveries=self,
            settings=self,
            admins=self,
            remedies=self,
            clock=lambda: DUE,
            monotonic=lambda: self.now,
            on_trouble=lambda project_id, error: self.troubles.append((project_id, error)),
        )
        return dict(summarise(until=until))


def test_a_day_s_failures_are_told_with_account_reason_and_remedy() -> None:
    world = World(
        pages=[[failed("a@example.org")], [failed("b@example.org"), failed("c@example.org", state=State.PARKED)]]
    )

    assert world.run() == {"sent": 1}

    [(project_id, failures, due_at)] = world.told
    assert (project_id, due_at) == ("acme", DUE)
    assert failures["count"] == 3
    assert failures["groups"][0] == {
        "state": "refused",
        "mail_account": "Ops mailbox",
        "reason": "550 5.1.1",
        "remedy": "Do what row says.",
        "count": 2,
    }
    assert world.finished == [MARK]
    assert set(world.searches) == {Search(since=MARK.since, until=DUE, states=FAILED)}


@pytest.mark.parametrize(
    ("pages", "project"),
    [
        pytest.param([], ACME, id="nothing-there"),
        pytest.param([[failed(state=State.ACCEPTED)]], ACME, id="all-was-mended"),
        pytest.param([[failed()]], None, id="no-such-project"),
        pytest.param([[failed()]], settings(account()), id="no-admins"),
        pytest.param([[failed()]], settings(account(), admins=ADMINS, failed_summary=False), id="switched-off"),
    ],
)
def test_nobody_is_told_where_there_is_nothing_to_tell_or_nobody_to_be_told(
    pages: list[list[DeliveryRecord]], project: ProjectSettings | None
) -> None:
    world = World(pages=pages, projects={"acme": project})

    assert world.run() == {"nothing_left": 1}

    assert world.told == []
    assert world.finished == [MARK]


@pytest.mark.parametrize(
    ("seconds_a_page", "until", "counted"),
    [pytest.param(0.0, 100.0, 1000, id="very-many"), pytest.param(30.0, 100.0, 200, id="little-time")],
)
def test_where_not_all_can_be_looked_at_it_says_that_there_is_more(
    seconds_a_page: float, until: float, counted: int
) -> None:
    pages = [[failed(f"r{page}-{number}@example.org") for number in range(100)] for page in range(15)]
    world = World(pages=pages, seconds_a_page=seconds_a_page)

    world.run(until=until)

    [(_, failures, _)] = world.told
    assert (failures["count"], failures["is_more"]) == (counted, True)


def test_a_day_of_which_nothing_was_found_before_the_time_was_over_is_left_to_the_next_run() -> None:
    pages = [[failed(state=State.ACCEPTED)], [failed(state=State.ACCEPTED)], [failed("late@example.org")]]
    world = World(pages=pages, seconds_a_page=30.0)

    assert world.run(until=50.0) == {"left_for_next_run": 1}
    assert (world.told, world.finished) == ([], [])

    assert world.run(until=300.0) == {"sent": 1}
    assert world.finished == [MARK]


def test_a_project_with_very_many_deliveries_leaves_time_for_the_others() -> None:
    acme = [[failed(state=State.ACCEPTED)] for _ in range(10)]
    world = World(pages=acme, marks=[MARK, replace(MARK, project_id="other")], seconds_a_page=30.0)
    world.projects = {"acme": ACME, "other": settings(account())}

    assert world.run() == {"left_for_next_run": 1, "nothing_left": 1}
    assert [mark.project_id for mark in world.finished] == ["other"]


def test_the_trouble_of_one_project_is_its_own_and_is_tried_again() -> None:
    bad = replace(MARK, project_id="bad")
    world = World(
        pages=[[failed()]],
        marks=[bad, MARK],
        projects={"bad": RuntimeError("something nobody thought of"), "acme": ACME},
    )

    assert world.run() == {"failed": 1, "sent": 1}

    assert world.troubles == [("bad", "RuntimeError")]
    assert world.finished == [MARK]


def test_a_summary_that_was_not_told_stays_due() -> None:
    world = World(pages=[[failed()]], refusal=RuntimeError("no queue"))

    assert world.run() == {"failed": 1}
    assert world.finished == []


def test_nothing_is_begun_when_the_time_is_over() -> None:
    world = World(pages=[[failed()]], now=100.0)

    assert world.run(until=100.0) == {}
    assert (world.told, world.finished) == ([], [])
