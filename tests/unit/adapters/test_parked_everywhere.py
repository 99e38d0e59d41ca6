"""What is parked for an account is found wherever it carries mails, from wherever a pass had come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest
from tocsin.adapters.parked_everywhere import ParkedEverywhere
from tocsin.model.chunk import Chunk
from tocsin.model.redrive import DeliveryKey

from tests.unit.model.examples import account, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tocsin.adapters.waiting_deliveries import WaitingDeliveries
    from tocsin.model.project import ProjectSettings

ALL = [f"p{number:03d}" for number in range(150)]

TO_ADMINS = "words to admins"

type Place = tuple[str, str | None]


def _key(project_id: str, number: int) -> DeliveryKey:
    chunk = Chunk(project_id=project_id, notification_key="a" * 64, number=0)
    return DeliveryKey(chunk=chunk, recipient=f"p{number}@example.org")


@dataclass
class Tables:
    """The tables: how many deliveries are parked for an account with a project, one a part, and all projects.

    The routes of those in `policies` name the accounts `first` and `second`, under that policy; the installation's
    names `last`.
    """

    parked_of: Mapping[Place, int]
    policies: Mapping[str, str] = field(default_factory=dict)
    asked: list[Place] = field(default_factory=list)

    def parked(
        self, project_id: str, mail_account_id: str | None, *, reached: str | None, only_to_admins: bool
    ) -> Iterator[tuple[Sequence[DeliveryKey], str]]:
        self.asked.append((project_id, mail_account_id if not only_to_admins else TO_ADMINS))
        for number in range(self.parked_of.get((project_id, mail_account_id), 0)):
            if reached is None or f"{number}" >= reached:
                yield [_key(project_id, number)], f"{number}"

    def ids(self, *, after: str | None, size: int) -> list[str]:
        return [one for one in sorted([*ALL, "_system"]) if after is None or one > after][:size]

    def fresh(self, project_id: str) -> ProjectSettings | None:
        if project_id == "_system":
            return settings(account("last"))
        policy = self.policies.get(project_id)
        return settings(account("first"), account("second"), fallback_policy=policy) if policy is not None else None

    def found(
        self, project_id: str = "_system", account_id: str | None = "last", reached: str | None = None
    ) -> list[tuple[list[str], str]]:
        """The projects of each part, and how far it reaches."""
        everywhere = ParkedEverywhere(cast("WaitingDeliveries", self), self, self)
        parts = everywhere.parked(project_id, account_id, reached=reached)
        return [([key.chunk.project_id for key in keys], end) for keys, end in parts]


def _parts(found: list[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    return [part for part in found if part[0]]


@pytest.mark.parametrize("account_id", ["first", None])
def test_an_account_of_a_project_has_what_is_parked_there_only(account_id: str | None) -> None:
    tables = Tables({("p001", account_id): 2, ("p002", account_id): 1})

    assert [projects for projects, _ in tables.found("p001", account_id)] == [["p001"], ["p001"]]
    assert tables.asked == [("p001", account_id)]


@pytest.mark.parametrize(
    ("policy", "asked"),
    [("none", ["second"]), ("project", ["first", "second"]), ("system", ["first", "last", "second"])],
)
def test_an_account_of_a_route_has_what_is_parked_for_the_others_or_for_any_as_far_as_the_project_allows(
    policy: str, asked: list[str]
) -> None:
    tables = Tables({}, {"p001": policy})

    tables.found("p001", "second")

    assert tables.asked == [("p001", account_id) for account_id in (*asked, TO_ADMINS)]


def test_an_account_of_the_installation_has_what_is_parked_anywhere() -> None:
    tables = Tables({("_system", "last"): 1, ("p001", "last"): 2, ("p149", "last"): 1})

    assert [projects for projects, _ in _parts(tables.found())] == [["_system"], ["p001"], ["p001"], ["p149"]]
    assert [place for place in tables.asked if place != ("_system", TO_ADMINS)] == [
        (project_id, "last") for project_id in ("_system", *ALL)
    ]


def test_an_account_of_the_installation_has_what_projects_parked_that_may_fall_back_on_it() -> None:
    tables = Tables({}, {"p001": "none", "p002": "project", "p003": "system"})

    tables.found()

    assert [account_id for project_id, account_id in tables.asked if project_id == "p003"] == [
        "first",
        "last",
        "second",
        TO_ADMINS,
    ]
    assert {account_id for project_id, account_id in tables.asked if project_id != "p003"} == {"last", TO_ADMINS}


def test_between_two_of_many_projects_without_any_there_is_a_place_to_stop() -> None:
    assert [end for projects, end in Tables({}).found() if not projects] == ["p098 ~", "p149 ~"]


@pytest.mark.parametrize("account_id", ["last", None])
@pytest.mark.parametrize("stopped_at", range(7))
def test_a_pass_goes_on_where_it_stopped(stopped_at: int, account_id: str | None) -> None:
    parked: dict[Place, int] = {
        ("_system", account_id): 1,
        ("p001", account_id): 2,
        ("p003", account_id and "first"): 2,
        ("p120", account_id): 1,
    }
    whole = Tables(parked, {"p003": "system"}).found(account_id=account_id)
    tables = Tables(parked, {"p003": "system"})

    rest = tables.found(account_id=account_id, reached=whole[stopped_at][1])

    again = 0 if whole[stopped_at][0] == [] else 1  # what it had come to is looked at once more
    assert _parts(rest) == _parts(whole[stopped_at + 1 - again :])


@pytest.mark.parametrize("stopped_at", range(4))
def test_a_pass_over_one_project_goes_on_where_it_stopped(stopped_at: int) -> None:
    parked: dict[Place, int] = {("p001", "first"): 2, ("p001", "second"): 2}
    whole = Tables(parked, {"p001": "project"}).found("p001", "first")

    assert Tables(parked, {"p001": "project"}).found("p001", "first", whole[stopped_at][1]) == whole[stopped_at:]


def test_a_pass_that_stopped_at_a_place_that_is_none_begins_anew() -> None:
    parked: dict[Place, int] = {("p001", "first"): 2}

    assert Tables(parked).found("p001", "first", "2026-01-01T00:00:00Z") == Tables(parked).found("p001", "first")
