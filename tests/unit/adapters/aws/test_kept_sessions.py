"""How long sessions with relays are kept, and how they end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING

import pytest
from tocsin.errors import TooLate

from tests.unit.adapters.aws.session_world import limited
from tests.unit.model.examples import account

if TYPE_CHECKING:
    from tests.unit.adapters.aws.session_world import Process, World

SOON = 30.0


@pytest.mark.parametrize(("connections", "ended"), [(1, "closed"), (2, "closed"), (3, None), (4, None)])
def test_few_connections_are_closed_with_the_invocation_and_many_are_kept(
    process: Process, connections: int, ended: str | None
) -> None:
    process.submit(limited(connections))
    process.sessions.close()

    assert process.opened[0].ended == ended
    assert len(process.slots_of(limited(connections))) == (ended is None)


def test_all_slots_are_given_back_in_one_call(process: Process, world: World) -> None:
    with process.leased(limited(2)), process.leased(limited(2)), process.leased(account("second")):
        pass
    calls = world.calls

    process.sessions.close()

    assert world.calls - calls == 1
    assert world.leased_slots() == {}


def test_a_slot_that_somebody_else_changed_keeps_no_other_from_being_given_back(world: World) -> None:
    process, quick = world.process(), world.process()
    lost = process.enter(limited(1), for_seconds=60)
    process.leave(lost)
    process.submit(account("second"))
    world.take(process.slot_of(lost), for_process=quick)

    process.sessions.close()

    assert list(world.leased_slots().values()) == [quick.holder]


def test_a_slot_that_ends_with_the_function_anyway_is_not_worth_a_call(process: Process, world: World) -> None:
    process.submit(limited(1), for_seconds=5)
    calls = world.calls

    process.sessions.close()

    assert process.opened[0].ended == "closed"
    assert world.calls == calls


@pytest.mark.parametrize(("seconds", "connections_opened"), [(29, 1), (30, 2), (31, 2)])
def test_a_session_is_kept_as_long_as_its_slot_and_dropped_unused_then(
    process: Process, world: World, seconds: int, connections_opened: int
) -> None:
    process.submit(limited(4), kept_open=True)
    process.sessions.close()
    world.pass_seconds(seconds)

    process.submit(limited(4))

    assert len(process.opened) == connections_opened
    assert [submission.ended for submission in process.opened[:-1]] == ["dropped"] * (connections_opened - 1)


def test_a_slot_that_is_over_ends_its_session_with_the_next_invocation_of_whomever(
    process: Process, world: World
) -> None:
    process.submit(limited(4), kept_open=True)
    process.sessions.close()
    world.pass_seconds(31)
    calls = world.calls

    process.sessions.close()

    assert process.opened[0].ended == "closed"
    assert world.calls == calls  # a slot that is over is nobody's to give back


def test_a_kept_session_is_fenced_by_its_slot(world: World) -> None:
    frozen, quick = world.process(), world.process()
    frozen.submit(limited(4), kept_open=True)
    frozen.sessions.close()
    [slot] = frozen.slots_of(limited(4))
    world.take(slot, for_process=quick)  # its clock is ahead of ours

    frozen.submit(limited(4))

    assert frozen.opened[0].ended == "dropped"
    assert len(world.leased_slots()) == 2


def test_a_session_that_the_relay_ended_is_not_kept_and_its_slot_is_given_back(process: Process, world: World) -> None:
    with process.leased(limited(4)) as lent:
        lent.submission.is_open = False
    process.sessions.close()

    assert lent.submission.ended == "closed"
    assert world.leased_slots() == {}


def test_sessions_are_not_kept_without_bound(process: Process) -> None:
    for number in range(103):
        process.submit(account(f"account-{number}", limits={"connections": 3}), for_seconds=60 + number)

    process.sessions.close()

    assert [submission.ended for submission in process.opened] == ["closed"] * 3 + [None] * 100


@pytest.mark.parametrize(("connections", "kept"), [(3, 1), (4, 2), (10, 5)])
def test_unused_connections_are_no_more_than_half_so_that_a_newcomer_finds_others(
    world: World, connections: int, kept: int
) -> None:
    for _ in range(3):
        process = world.process()
        known = world.read_slots(limited(connections))
        with ExitStack() as held:
            for _ in range(connections - len(world.leased_slots())):
                held.enter_context(process.leased(limited(connections), known=known))
        process.sessions.close()

        assert len(world.leased_slots()) == kept


def test_the_connection_that_bulk_leaves_free_is_never_kept(world: World) -> None:
    process, others = world.process(), world.process()
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(others.leased(limited(4), leaves_one=True))
        process.submit(limited(4), kept_open=True)
    others.sessions.close()
    process.sessions.close()

    assert process.opened[0].ended == "closed"
    assert set(world.leased_slots().values()) == {others.holder}


def test_another_credential_in_mid_window_keeps_the_slot(process: Process, world: World) -> None:
    renewed = limited(1).model_copy(update={"credential_version": "v2"})
    with process.leased(limited(1)) as lent:
        slot = process.slot_of(lent)
        lent.session.renew(renewed, None)

        process.hold(lent.session)
        assert process.slot_of(lent) == slot

    process.submit(renewed)
    first, second = process.opened
    assert (first.ended, second.ended) == ("closed", None)
    assert second.told == {renewed.model_dump_json()}
    assert list(world.leased_slots()) == [slot]


# Closing.


def test_closing_ends_what_is_not_in_use_and_leaves_the_rest_to_its_borrower(process: Process) -> None:
    process.submit(account("second"))
    with process.leased(account()):
        process.sessions.close()

        assert [submission.ended for submission in process.opened] == ["closed", None]

    process.sessions.close()
    assert [submission.ended for submission in process.opened] == ["closed", "closed"]


def test_one_who_waited_while_all_was_closed_still_gives_its_session_back(process: Process) -> None:
    begun = Event()

    def wait() -> bool:
        begun.set()
        process.submit(limited(1))
        return True

    with ThreadPoolExecutor(max_workers=1) as pool:
        with process.leased(limited(1)):
            waiting = pool.submit(wait)
            assert begun.wait(SOON)
        process.sessions.close()
        assert waiting.result(timeout=SOON)

    process.sessions.close()
    assert process.open_now == 0
    assert process.slots_of(limited(1)) == {}


def test_nobody_opens_a_connection_while_the_one_before_takes_leave(process: Process) -> None:
    leaving, may_leave = Event(), Event()

    def slow_leave() -> None:
        leaving.set()
        assert may_leave.wait(SOON)

    process.submit(limited(1))
    process.opened[0].before_close = slow_leave
    with ThreadPoolExecutor(max_workers=2) as pool:
        closing = pool.submit(process.sessions.close)
        assert leaving.wait(SOON)
        with pytest.raises(TooLate), process.leased(limited(1), deadline=time.monotonic() + 0.05):
            pass
        waiting = pool.submit(process.submit, limited(1))
        may_leave.set()
        closing.result(timeout=SOON)
        waiting.result(timeout=SOON)

    assert process.most_open == 1
