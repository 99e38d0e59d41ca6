"""Bulk leaves one of several connections to all others, which need not wait for it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING

import pytest
from tocsin.errors import ConnectionsInUse, TooLate
from tocsin.model.slot import slot_key

from tests.unit.adapters.aws.session_world import limited

if TYPE_CHECKING:
    from tests.unit.adapters.aws.session_world import Process, World

SOON = 30.0


@pytest.mark.parametrize(("connections", "for_bulk"), [(1, 1), (2, 1), (3, 2), (12, 11)])
def test_bulk_leaves_one_of_several_connections_to_the_others(world: World, connections: int, for_bulk: int) -> None:
    known = world.read_slots(limited(connections))  # all free, for everybody
    with ExitStack() as held:
        for _ in range(for_bulk):
            held.enter_context(world.process().leased(limited(connections), known=known, leaves_one=True))

        with pytest.raises(ConnectionsInUse), world.process().leased(limited(connections), leaves_one=True):
            pass
        for _ in range(connections - for_bulk):
            held.enter_context(world.process().leased(limited(connections)))
        with pytest.raises(ConnectionsInUse), world.process().leased(limited(connections)):
            pass


def test_in_one_process_too_others_need_not_wait_for_what_bulk_has(process: Process) -> None:
    with process.leased(limited(2), leaves_one=True):
        with pytest.raises(TooLate), process.leased(limited(2), deadline=time.monotonic(), leaves_one=True):
            pass

        process.submit(limited(2))

    assert len(process.opened) == 2


def test_of_those_who_wait_in_one_process_bulk_comes_last(process: Process) -> None:
    waits = Event()
    order: list[str] = []

    def work() -> None:
        with process.leased(limited(1)):
            order.append("incident")

    with ThreadPoolExecutor(max_workers=1) as pool:
        with process.leased(limited(1), leaves_one=True):
            process.before_waiting = waits.set
            incident = pool.submit(work)
            assert waits.wait(SOON)
        with process.leased(limited(1), leaves_one=True):
            order.append("page")
        incident.result(timeout=SOON)

    assert order == ["incident", "page"]


def test_a_session_in_the_slot_that_is_left_free_is_not_lent_to_bulk(world: World) -> None:
    process, another = world.process(), world.process()
    with another.leased(limited(2)):
        process.submit(limited(2))

        with pytest.raises(ConnectionsInUse), process.leased(limited(2), leaves_one=True):
            pass

    process.submit(limited(2))
    assert len(process.opened) == 1


def test_bulk_that_lost_its_slot_does_not_go_on_in_the_one_that_is_left_free(world: World) -> None:
    late, quick = world.process(), world.process()
    with late.leased(limited(2), for_seconds=1, leaves_one=True) as lent:
        world.pass_seconds(1)
        world.take(late.slot_of(lent), for_process=quick)

        with pytest.raises(ConnectionsInUse):
            late.hold(lent.session)

    assert list(world.leased_slots().values()) == [quick.holder]


def test_bulk_looks_for_slots_that_nobody_has_read_though_the_one_that_is_left_is_free(world: World) -> None:
    others = world.process()
    with ExitStack() as held:
        for _ in range(9):
            held.enter_context(others.leased(limited(10), leaves_one=True))
        known = world.read_slots(limited(10))

        with world.process().leased(limited(12), known=known, leaves_one=True):
            pass


@pytest.mark.parametrize("in_use", [0, 1])
def test_the_one_that_is_left_is_taken_before_any_that_nobody_has_read(world: World, in_use: int) -> None:
    process, others = world.process(), world.process()
    with ExitStack() as held:
        for _ in range(in_use):
            held.enter_context(process.leased(limited(30), leaves_one=True))
        for _ in range(29 - in_use):
            held.enter_context(others.leased(limited(30), leaves_one=True))
        process.sessions.close()  # what it knows is of an invocation before

        with process.lent(limited(30)) as lent:
            assert process.slot_of(lent) == slot_key(limited(30), 0)
