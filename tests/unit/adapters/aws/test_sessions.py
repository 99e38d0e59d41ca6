"""Sessions with relays: who may share one, and how many there are at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.errors import ConnectionsInUse, TooLate

from tests.unit.adapters.aws.session_world import SECOND, limited
from tests.unit.model.examples import account

if TYPE_CHECKING:
    from tests.unit.adapters.aws.session_world import Process, World

SOON = 30.0


# Who may share one.


def test_a_session_that_was_given_back_is_lent_again(process: Process) -> None:
    for _ in range(3):
        process.submit(account())

    assert len(process.opened) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"project_id": "other"}, id="project"),
        pytest.param({"id": "second"}, id="account"),
        pytest.param({"version": 2}, id="version"),
        pytest.param({"credential_version": "v2"}, id="credential-version"),
        pytest.param({"credential_version": None}, id="no-credential"),
    ],
)
def test_a_session_is_never_shared_across_what_tells_accounts_apart(process: Process, other: dict[str, Any]) -> None:
    ours, theirs = limited(4), limited(4).model_copy(update=other)

    for one in (ours, theirs, ours):
        process.submit(one)

    assert all(submission.told == {submission.account.model_dump_json()} for submission in process.opened)
    assert {submission.account.model_dump_json() for submission in process.opened} == {
        ours.model_dump_json(),
        theirs.model_dump_json(),
    }


@pytest.mark.parametrize("change", [{"version": 2}, {"credential_version": "v2"}])
def test_a_changed_account_or_credential_drops_the_sessions_that_were_kept(
    process: Process, change: dict[str, Any]
) -> None:
    process.submit(limited(4))
    process.sessions.close()
    changed = limited(4).model_copy(update=change)

    process.submit(changed)

    kept, new = process.opened
    assert (kept.ended, new.ended) == ("dropped", None)
    assert process.slots_of(changed) == {new.slot: process.holder}  # the other slot was used again


def test_another_projects_slots_stand_in_nobodys_way(world: World) -> None:
    ours, theirs = limited(1), limited(1).model_copy(update={"project_id": "other"})
    with world.process().leased(ours), world.process().leased(theirs):
        assert len(world.leased_slots()) == 2


# How many there are at once, in one process.


@pytest.mark.parametrize("connections", [1, 3, 12])
def test_an_account_has_at_most_its_connections_at_once(process: Process, connections: int) -> None:
    with ExitStack() as held:
        for _ in range(connections):
            held.enter_context(process.leased(limited(connections)))

        with pytest.raises(TooLate), process.leased(limited(connections), deadline=time.monotonic() - 1):
            pass
        with process.leased(account("second")):  # another account is not held up
            pass

        assert len(world_slots := process.slots_of(limited(connections))) == connections, world_slots


def test_many_threads_share_the_connections_and_all_get_their_turn(process: Process) -> None:
    busy, lock = set[int](), Lock()
    most = 0

    def work(number: int) -> int:
        nonlocal most
        with process.leased(limited(2)) as lent:
            with lock:
                assert id(lent.submission) not in busy
                busy.add(id(lent.submission))
                most = max(most, len(busy))
            with lock:
                busy.discard(id(lent.submission))
        return number

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(work, range(40))) == list(range(40))

    assert most <= 2
    assert len(process.opened) <= 2


def test_a_batch_of_ten_with_two_connections_finishes_though_each_holds_on_as_long_as_it_can(process: Process) -> None:
    both = Event()
    holding: list[int] = []

    def work(number: int) -> int:
        with process.leased(limited(2)):
            holding.append(number)
            if len(holding) >= 2:
                both.set()
            assert both.wait(SOON)  # two at a time, really
        return number

    with ThreadPoolExecutor(max_workers=10) as pool:
        assert sorted(pool.map(work, range(10))) == list(range(10))

    assert len(process.opened) == 2


def test_waiting_ends_when_a_session_is_given_back(process: Process) -> None:
    begun = Event()

    def wait() -> bool:
        begun.set()
        with process.leased(limited(1)):
            return True

    with ThreadPoolExecutor(max_workers=1) as pool:
        with process.leased(limited(1)):
            waiting = pool.submit(wait)
            assert begun.wait(SOON)
            assert not waiting.done()
        assert waiting.result(timeout=SOON)

    assert len(process.opened) == 1


def test_waiting_ends_at_the_deadline(process: Process) -> None:
    with process.leased(limited(1)):
        began = time.monotonic()

        with pytest.raises(TooLate), process.leased(limited(1), deadline=began + 0.05):
            pass

        assert 0.049 <= time.monotonic() - began < SOON


def test_a_session_is_given_back_when_its_borrower_fails(process: Process) -> None:
    with pytest.raises(LookupError), process.leased(limited(1)):
        raise LookupError
    process.submit(limited(1))

    assert len(process.opened) == 1


def test_a_session_that_was_lent_and_never_held_a_slot_takes_nobodys_place(process: Process) -> None:
    with process.lent(limited(1)):
        pass  # there was too little time left to journal anything

    assert process.opened[0].ended == "dropped"
    process.submit(limited(1))


def test_fewer_connections_than_before_hold_up_newcomers_until_the_surplus_is_over(process: Process) -> None:
    fewer = limited(1).model_copy(update={"version": 2})
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(process.leased(limited(3)))

        with pytest.raises(TooLate), process.leased(fewer, deadline=time.monotonic()):
            pass

    process.submit(fewer)
    assert process.open_now == 1


# How many there are at once, in many processes.


def test_processes_keep_to_the_accounts_connections_together(world: World) -> None:
    first, second, third = world.process(), world.process(), world.process()
    with first.leased(limited(2)), second.leased(limited(2)):
        with pytest.raises(ConnectionsInUse), third.leased(limited(2)):
            pass

        assert third.opened == []
        assert set(world.leased_slots().values()) == {first.holder, second.holder}


def test_those_who_read_at_the_same_time_end_up_in_slots_of_their_own(world: World) -> None:
    processes = [world.process() for _ in range(4)]
    known = world.read_slots(limited(4))  # all free, for everybody
    with ExitStack() as held:
        for process in processes:
            held.enter_context(process.leased(limited(4), known=known))

        assert sorted(world.leased_slots().values()) == sorted(process.holder for process in processes)


def test_who_loses_the_last_slot_submits_nothing_and_leaves_no_trace(world: World) -> None:
    winner, loser = world.process(), world.process()
    known = world.read_slots(limited(1))
    with winner.leased(limited(1), known=known):
        with pytest.raises(ConnectionsInUse), loser.leased(limited(1), known=known):
            pass
        assert list(world.leased_slots().values()) == [winner.holder]

    winner.sessions.close()
    loser.submit(limited(1))
    assert [submission.told for submission in loser.opened] == [set(), {limited(1).model_dump_json()}]


def test_slots_are_not_all_tried_in_the_same_order(world: World) -> None:
    known = world.read_slots(limited(10))
    firsts = set()
    for _ in range(12):
        with world.process().lent(limited(10), known=known) as lent:
            firsts.add(lent.session.held_until(world.now).key)

    assert len(firsts) > 3


@pytest.mark.parametrize(
    ("connections", "read"),
    [pytest.param(3, 0, id="of-a-fall-back"), pytest.param(30, 10, id="beyond-the-first-ten")],
)
def test_slots_that_nobody_has_read_are_read_in_one_call_where_none_is_known_to_be_free(
    world: World, connections: int, read: int
) -> None:
    others = world.process()
    with ExitStack() as held:
        for _ in range(connections):
            held.enter_context(others.leased(limited(connections)))
        known = world.read_slots(limited(connections))[:read]
        asked = world.calls

        with pytest.raises(ConnectionsInUse), world.process().leased(limited(connections), known=known):
            pass

        assert world.calls - asked == 1


def test_free_slots_beyond_those_that_were_read_are_found(world: World) -> None:
    others, newcomer = world.process(), world.process()
    with ExitStack() as held:
        for _ in range(11):
            held.enter_context(others.leased(limited(12)))
        taken = world.leased_slots()
        known = [item for item in world.read_slots(limited(12)) if item.key in taken][:10]

        with newcomer.leased(limited(12), known=known):
            assert list(world.leased_slots().values()).count(newcomer.holder) == 1


def test_a_crashed_process_loses_its_slot_at_the_end_of_its_function(world: World) -> None:
    crashed, heir = world.process(), world.process()
    crashed.enter(limited(1), for_seconds=60)

    world.pass_seconds(59)
    with pytest.raises(ConnectionsInUse), heir.leased(limited(1)):
        pass
    world.pass_seconds(1)
    heir.submit(limited(1))

    assert list(world.leased_slots().values()) == [heir.holder]


def test_a_slot_that_was_lost_meanwhile_is_left_for_a_free_one_with_a_new_connection(world: World) -> None:
    late, quick = world.process(), world.process()
    lent = late.enter(limited(2), for_seconds=1)
    world.pass_seconds(1)
    lost = world.take(late.slot_of(lent), for_process=quick)

    late.hold(lent.session)

    assert late.slot_of(lent) != lost
    assert lent.submission.ended == "dropped"  # it opens anew at the next mail
    assert sorted(world.leased_slots().values()) == sorted([late.holder, quick.holder])


def test_a_slot_that_was_lost_meanwhile_defers_the_rest_where_there_is_no_other(world: World) -> None:
    late, quick = world.process(), world.process()
    with late.leased(limited(1), for_seconds=1) as lent:
        world.pass_seconds(1)
        world.take(late.slot_of(lent), for_process=quick)

        with pytest.raises(ConnectionsInUse):
            late.hold(lent.session)

    assert late.open_now == 0
    assert list(world.leased_slots().values()) == [quick.holder]


def test_a_write_of_ones_own_whose_answer_was_lost_costs_a_round_and_no_slot(process: Process, world: World) -> None:
    with process.leased(limited(1)) as lent:
        world.write([lent.session.held_until(world.now + 50 * SECOND)])  # nobody told the session
        before = process.slot_of(lent)

        process.hold(lent.session)

        assert process.slot_of(lent) == before
        assert lent.submission.ended is None
