"""Who must wait for a digest, and who is counted, as workers see it who share the counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.storm import Storm
from tocsin.errors import TransientError
from tocsin.model.delivery import State
from tocsin.model.shared_item import SharedItem, SharedItemsChanged
from tocsin.model.storm import StormControl

from tests.unit.actions.fakes import entry
from tests.unit.model.examples import NOW, notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.model.delivery import Entry

CONTROL = StormControl(mails_per_thread=2, mails_in_all=3)
MANY = 30


class Table:
    """The counts that workers share. `busy` makes a write fail."""

    def __init__(self) -> None:
        self.items: dict[str, SharedItem] = {}
        self.calls = 0
        self.busy = False

    def put(self, items: Sequence[SharedItem]) -> None:
        """Write all, or say what stands instead."""
        self.calls += 1
        if self.busy:
            raise TransientError("busy")
        stale = [self.read(item.key) for item in items if item.version != self.read(item.key).version + 1]
        if stale:
            raise SharedItemsChanged(stale)
        self.items.update((item.key, item) for item in items)

    def read(self, key: str) -> SharedItem:
        """What stands there."""
        return self.items.get(key, SharedItem(key=key))

    def worker(self, people: int = 1, *, control: StormControl | None = CONTROL) -> Storm:
        """A worker that has just read what stands."""
        storm = Storm(
            notification=notification(), control=control, clock=lambda: NOW, jitter=lambda: 0.0, write_ahead=self.put
        )
        storm.learn(self.read(key) for key in storm.keys(one.recipient for one in _new(people)))
        return storm


def _new(count: int = 1) -> list[Entry]:
    return [entry(State.QUEUED, attempt=0, number=number) for number in range(count)]


def _submit(table: Table, storm: Storm, entries: list[Entry]) -> None:
    """Do as a window does."""
    storm.count_ahead(entries)
    claim = storm.claim(entries)
    if claim:
        table.put(claim)
    storm.submitting(entries, claim)


@pytest.mark.parametrize(
    ("state", "changes", "held"),
    [
        pytest.param(State.QUEUED, {}, True, id="new"),
        pytest.param(State.DEFERRED, {}, True, id="waited-for-its-account"),
        pytest.param(State.DEFERRED, {"attempt": 1}, False, id="tried"),
        pytest.param(State.DEFERRED, {"was_begun": True}, False, id="begun-and-not-tried"),
        pytest.param(State.SUBMITTING, {"attempt": 1}, False, id="left-from-a-crash"),
        pytest.param(State.UNKNOWN, {"attempt": 1}, False, id="of-unknown-outcome"),
        pytest.param(State.QUEUED, {"revived_at": NOW}, False, id="re-driven-by-an-admin"),
    ],
)
def test_only_what_was_never_tried_is_held(state: State, changes: dict[str, object], *, held: bool) -> None:
    table = Table()
    for _ in range(2):
        _submit(table, table.worker(), _new())

    one = replace(entry(state, attempt=0), **changes)  # type: ignore[arg-type]  # names and values of an entry

    assert table.worker().holds(one) is held


def test_what_a_run_counted_it_does_not_hold_nor_count_again() -> None:
    table = Table()
    _submit(table, table.worker(), _new())
    storm = table.worker()
    _submit(table, storm, _new())

    assert not storm.holds(_new()[0])
    assert storm.claim(_new()) == []
    assert table.worker().holds(_new()[0])


def test_who_learns_that_others_were_quicker_holds_what_is_too_much() -> None:
    table = Table()
    slow = table.worker()
    for _ in range(2):
        _submit(table, table.worker(), _new())
    assert not slow.holds(_new()[0])

    with pytest.raises(SharedItemsChanged) as lost:
        table.put(slow.claim(_new()))
    slow.learn(lost.value.items)

    [change] = slow.held(_new(), lambda _: None)
    assert change.state is State.DEFERRED
    assert change.after.is_held


@pytest.mark.parametrize(
    "control", [pytest.param(None, id="not-for-this-mail"), pytest.param(StormControl(enabled=False), id="off")]
)
def test_where_nothing_is_held_nothing_is_read_or_written(control: StormControl | None) -> None:
    table = Table()
    storm = table.worker(MANY, control=control)

    assert list(storm.keys(["ana@example.org"])) == []
    storm.count_ahead(_new(MANY))
    assert (storm.claim(_new()), storm.held(_new(), lambda _: None), table.calls) == ([], [], 0)


def test_many_are_counted_in_one_write_of_their_own() -> None:
    table = Table()
    storm = table.worker(MANY)

    storm.count_ahead(_new(MANY))

    assert (table.calls, len(table.items)) == (1, MANY)
    assert storm.claim(_new(MANY)) == []


def test_many_of_several_workers_are_all_counted() -> None:
    table = Table()
    workers = [table.worker(MANY) for _ in range(3)]
    for worker in workers:
        worker.count_ahead(_new(MANY))

    assert [sum(worker.holds(one) for one in _new(MANY)) for worker in workers] == [0, 0, MANY]
    assert {item.document["in_all"] for item in table.items.values()} == {2}


def test_many_that_do_not_begin_after_all_count_no_more() -> None:
    table = Table()
    quick, late = table.worker(MANY), table.worker(MANY)
    for worker in (late, quick):
        worker.count_ahead(_new(MANY))

    late.take_back(_new(MANY))
    late.take_back(_new(MANY))

    assert {item.document["in_all"] for item in table.items.values()} == {1}
    assert not any(late.holds(one) for one in _new(MANY))
    late.count_ahead(_new(MANY))
    assert {item.document["in_all"] for item in table.items.values()} == {2}


def test_what_began_in_an_earlier_window_stays_counted() -> None:
    table = Table()
    storm = table.worker(MANY)
    storm.count_ahead(_new(MANY))

    again = [*_new(MANY), entry(State.QUEUED, attempt=0, number=MANY)]
    storm.count_ahead(again)
    storm.take_back(again)

    assert sorted(item.document["in_all"] for item in table.items.values()) == [0] + [1] * MANY


def test_a_busy_table_does_not_keep_mails_waiting() -> None:
    table = Table()
    table.busy = True
    storm = table.worker(MANY)

    storm.count_ahead(_new(MANY))

    assert table.calls == 1
    assert not any(storm.holds(one) for one in _new(MANY))
