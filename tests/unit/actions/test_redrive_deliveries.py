"""An admin's re-drive: so much at a time, oldest of it first, and remembered even where it is cut short."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.access import Access
from tocsin.actions.redrive import Redrive
from tocsin.actions.redrive_deliveries import RedriveDeliveries
from tocsin.errors import TransientError
from tocsin.model.delivery import State
from tocsin.model.delivery_search import Found, Position, Search
from tocsin.model.permissions import Caller, Permissions
from tocsin.model.redrive import RELEASED_FIRST, DeliveryKey
from tocsin.model.settings_error import ForbiddenToChange, NotThere

from tests.unit.actions.test_redrive import FakeDeliveries, FakeQueue, key
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.actions.redrive_deliveries import Redriven
    from tocsin.model.audit import AuditEntry

_PARKED = frozenset({State.PARKED})
_SEARCH = Search(since=NOW, until=NOW, states=_PARKED)
_ADMIN = Caller(id="admin-1", permissions=Permissions(admin_of=frozenset({"acme"})))
_VIEWER = Caller(id="viewer-1", permissions=Permissions(viewer_of=frozenset({"acme"})))
_STRANGER = Caller(id="eve", permissions=Permissions(admin_of=frozenset({"other"})))


@dataclass
class World:
    """A project with so many parked deliveries, found newest first, and a hundred at a time."""

    parked: int
    queue: FakeQueue = field(default_factory=FakeQueue)
    entries: list[AuditEntry] = field(default_factory=list)
    deliveries: FakeDeliveries = field(default_factory=lambda: FakeDeliveries({}))

    def __post_init__(self) -> None:
        """Park them."""
        self.deliveries.states |= {key(number): State.PARKED for number in range(self.parked)}

    def has_project(self, project_id: str) -> bool:
        return project_id == "acme"

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        assert (project_id, search, size) == ("acme", _SEARCH, 100)
        begin = int(behind.at) if behind is not None else 0
        end = min(begin + size, self.parked)
        return Found(
            keys=[key(number) for number in range(begin, end)],
            behind=Position(at=str(end)) if end < self.parked else None,
        )

    def keys(self, project_id: str, delivery_ids: Sequence[str]) -> list[DeliveryKey]:
        assert project_id == "acme"
        return [key(int(one)) for one in delivery_ids]

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    @property
    def action(self) -> RedriveDeliveries:
        return RedriveDeliveries(
            access=Access(projects=self),
            deliveries=self,
            redrive=Redrive(deliveries=self.deliveries, bulk_queue=self.queue),
            audit=self,
            clock=lambda: NOW,
        )

    def run(self, *, behind: Position | None = None, caller: Caller = _ADMIN) -> Redriven:
        return self.action.found(caller, "acme", _SEARCH, behind=behind)


def test_five_hundred_go_at_a_time_and_the_rest_with_the_next_request() -> None:
    world = World(parked=720)

    first = world.run()
    second = world.run(behind=first.behind)

    assert (first.redriven, first.looked_at, first.behind) == (500, 500, Position(at="500"))
    assert (second.redriven, second.looked_at, second.behind) == (220, 220, None)
    assert [entry.details["redriven"] for entry in world.entries] == [500, 220]


def test_each_part_goes_oldest_first_and_lives_anew() -> None:
    world = World(parked=3)

    world.run()

    assert world.deliveries.released == [key(2), key(1), key(0)]
    assert world.deliveries.asked == [(NOW + RELEASED_FIRST, "admin-1", True, None)]


def test_what_was_done_is_remembered_where_a_queue_or_table_ended_it() -> None:
    world = World(parked=3, queue=FakeQueue(fails=True))

    with pytest.raises(TransientError):
        world.run()

    [entry] = world.entries
    assert (entry.admin, entry.details["looked_at"], entry.details["states"]) == ("admin-1", 3, ("parked",))


def test_a_further_request_that_found_nothing_is_not_worth_a_line() -> None:
    world = World(parked=0)

    world.run()
    world.run(behind=Position(at="0"))

    assert len(world.entries) == 1


@pytest.mark.parametrize(("caller", "error"), [(_VIEWER, ForbiddenToChange), (_STRANGER, NotThere)])
def test_only_those_who_may_change_the_project_send_again(caller: Caller, error: type[Exception]) -> None:
    world = World(parked=3)

    with pytest.raises(error):
        world.run(caller=caller)
    with pytest.raises(error):
        world.action.named(caller, "acme", ["1"], _PARKED)
    assert (world.entries, world.deliveries.released) == ([], [])


def test_those_that_are_named_go_and_the_names_are_remembered() -> None:
    world = World(parked=3)

    done = world.action.named(_ADMIN, "acme", ["2", "1"], _PARKED)

    assert (done.redriven, done.behind, world.deliveries.released) == (2, None, [key(2), key(1)])
    assert world.entries[0].details == {
        "states": ("parked",),
        "delivery_ids": ("2", "1"),
        "redriven": 2,
        "looked_at": 2,
    }
