"""What is parked for the installation's own accounts is found with every project, from wherever a pass had come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest
from tocsin.adapters.parked_everywhere import ParkedEverywhere
from tocsin.model.chunk import Chunk
from tocsin.model.redrive import DeliveryKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tocsin.adapters.waiting_deliveries import WaitingDeliveries

ALL = [f"p{number:03d}" for number in range(150)]


def _key(project_id: str, number: int) -> DeliveryKey:
    chunk = Chunk(project_id=project_id, notification_key="a" * 64, number=0)
    return DeliveryKey(chunk=chunk, recipient=f"p{number}@example.org")


@dataclass
class Tables:
    """Both tables: how many deliveries each project has parked, one a part, and the list of projects."""

    parked_of: dict[str, int]
    asked: list[str] = field(default_factory=list)

    def parked(
        self, project_id: str, mail_account_id: str | None, *, reached: str | None
    ) -> Iterator[tuple[Sequence[DeliveryKey], str]]:
        assert mail_account_id == "first"
        self.asked.append(project_id)
        for number in range(self.parked_of.get(project_id, 0)):
            if reached is None or f"{number}" >= reached:
                yield [_key(project_id, number)], f"{number}"

    def ids(self, *, after: str | None, size: int) -> list[str]:
        return [one for one in sorted([*ALL, "_system"]) if after is None or one > after][:size]

    def found(self, project_id: str = "_system", reached: str | None = None) -> list[tuple[list[str], str]]:
        """The projects of each part, and how far it reaches."""
        everywhere = ParkedEverywhere(cast("WaitingDeliveries", self), self)
        parts = everywhere.parked(project_id, "first", reached=reached)
        return [([key.chunk.project_id for key in keys], end) for keys, end in parts]


def test_an_account_of_a_project_has_what_is_parked_there_only() -> None:
    tables = Tables({"p001": 2, "p002": 1})

    assert tables.found("p001") == [(["p001"], "0"), (["p001"], "1")]
    assert tables.asked == ["p001"]


def test_an_account_of_the_installation_has_what_is_parked_anywhere() -> None:
    tables = Tables({"_system": 1, "p001": 2, "p149": 1})

    found = tables.found()

    assert [projects for projects, _ in found if projects] == [["_system"], ["p001"], ["p001"], ["p149"]]
    assert sorted(tables.asked) == sorted([*ALL, "_system"])


def test_between_two_of_many_projects_without_any_there_is_a_place_to_stop() -> None:
    assert [end for projects, end in Tables({}).found() if not projects] == ["p098 ~", "p149 ~"]


@pytest.mark.parametrize("stopped_at", range(5))
def test_a_pass_goes_on_where_it_stopped(stopped_at: int) -> None:
    whole = Tables({"_system": 1, "p001": 2, "p120": 1}).found()
    tables = Tables({"_system": 1, "p001": 2, "p120": 1})

    rest = tables.found(reached=whole[stopped_at][1])

    again = 0 if whole[stopped_at][0] == [] else 1  # what it had come to is looked at once more
    assert [part for part in rest if part[0]] == [part for part in whole[stopped_at + 1 - again :] if part[0]]
