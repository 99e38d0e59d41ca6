"""The sweep: accounts take turns, a pass ends and comes again, trouble stays its own, and the end is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tocsin.actions.redrive import Redrive
from tocsin.actions.sweep_due import SweepDue
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import State
from tocsin.model.redrive import DeliveryKey, Mark, first_pass

from tests.unit.actions.test_redrive import FakeDeliveries, FakeQueue, key
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


def mark(account_id: str | None = "first", *, project_id: str = "acme") -> Mark:
    """A mark that was set a minute ago."""
    since = NOW - timedelta(minutes=1)
    return Mark(
        project_id=project_id,
        name=account_id or "none",
        mail_account_id=account_id,
        token="t",
        since=since,
        pass_at=first_pass(since),
    )


def chunk(number: int) -> Chunk:
    """One chunk of a notification."""
    return Chunk(project_id="acme", notification_key="b" * 64, number=number)


@dataclass
class World:
    """Fakes of all that the action needs, with a clock that each part moves on."""

    marks: list[Mark] = field(default_factory=list)
    parts: dict[str | None, list[list[DeliveryKey]]] = field(default_factory=dict)
    bad: frozenset[str | None] = frozenset()
    late: list[Chunk] = field(default_factory=list)
    unclaimed: frozenset[Chunk] = frozenset()
    seconds_a_part: float = 0.0
    now: float = 0.0
    reached: list[tuple[str, str]] = field(default_factory=list)
    ended: list[tuple[str, datetime | None]] = field(default_factory=list)
    troubles: list[tuple[str, str, str]] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    before: datetime | None = None
    gone: list[tuple[str, str]] = field(default_factory=list)
    deliveries: FakeDeliveries = field(default_factory=lambda: FakeDeliveries({}))
    queue: FakeQueue = field(default_factory=FakeQueue)

    def due(self, now: datetime) -> Sequence[Mark]:
        assert now == NOW
        return self.marks

    def reach(self, mark: Mark, reached: str) -> None:
        self.reached.append((mark.name, reached))

    def end_pass(self, mark: Mark, *, next_pass_at: datetime | None) -> None:
        self.ended.append((mark.name, next_pass_at))

    def let_go(self, project_id: str, mail_account_id: str) -> None:
        self.gone.append((project_id, mail_account_id))

    def parked(
        self, project_id: str, mail_account_id: str | None, *, reached: str | None
    ) -> Iterator[tuple[Sequence[DeliveryKey], str]]:
        del project_id
        if mail_account_id in self.bad:
            raise RuntimeError("something nobody thought of")
        for number, part in enumerate(self.parts.get(mail_account_id, [])[int(reached or 0) :], start=1):
            self.now += self.seconds_a_part
            self.deliveries.states |= dict.fromkeys(part, State.PARKED)
            yield part, str(int(reached or 0) + number)

    def overdue(self, before: datetime) -> Iterator[Chunk]:
        self.before = before
        yield from self.late

    def claim(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        self.claims.append(len(chunks))
        return [one for one in chunks if one not in self.unclaimed]

    def run(self, *, until: float = 1000.0) -> dict[str, int]:
        counts = SweepDue(
            marks=self,
            parked=self,
            redrive=Redrive(deliveries=self.deliveries, bulk_queue=self.queue),
            secrets=self,
            chunks=self,
            bulk_queue=self.queue,
            clock=lambda: NOW,
            monotonic=lambda: self.now,
            on_trouble=lambda *trouble: self.troubles.append(trouble),
        )(until=until)
        return {name: count for name, count in counts.items() if count}


def test_nothing_is_done_where_nothing_is_due() -> None:
    world = World()

    assert world.run() == {}
    assert (world.reached, world.ended, world.claims, world.queue.sent) == ([], [], [], [])


def test_accounts_take_turns_and_each_is_done_oldest_first() -> None:
    first, second = [[key(1)], [key(2)], [key(3)]], [[key(4)], [key(5)]]
    world = World(marks=[mark("first"), mark("second")], parts={"first": first, "second": second})

    assert world.run() == {"redriven": 5}
    assert world.deliveries.released == [key(1), key(4), key(2), key(5), key(3)]
    assert world.reached == [("first", "1"), ("second", "1"), ("first", "2"), ("second", "2"), ("first", "3")]


def test_a_pass_is_about_what_was_parked_before_it() -> None:
    marked = mark()
    world = World(marks=[marked], parts={"first": [[key(1)]]})

    world.run()

    assert world.deliveries.asked == [(NOW + timedelta(seconds=5), "sweep", False, marked.pass_at)]


def test_a_mark_is_kept_for_its_next_pass_until_the_last_is_over() -> None:
    marked = mark()
    last = replace(marked, pass_at=marked.since + timedelta(minutes=16))

    assert World(marks=[marked]).run() == {}
    assert World(marks=[last]).run() == {"marks_ended": 1}
    first_time, last_time = World(marks=[marked]), World(marks=[last])
    first_time.run()
    last_time.run()
    assert first_time.ended == [("first", marked.since + timedelta(minutes=1))]
    assert last_time.ended == [("first", None)]


def test_what_a_deleted_account_has_left_is_let_go_once_its_mails_are() -> None:
    world = World(marks=[mark("first"), mark(None), mark("second")], bad=frozenset({"second"}))

    world.run()

    assert world.gone == [("acme", "first")]


def test_what_is_left_when_time_runs_out_is_for_the_next_run_and_its_mark_stays() -> None:
    parts = [[key(1)], [key(2)], [key(3)], [key(4)]]
    world = World(marks=[mark()], parts={"first": parts}, seconds_a_part=10.0)

    assert world.run(until=30.0) == {"redriven": 2}  # two thirds of the time are for marks
    assert (world.reached[-1], world.ended) == (("first", "2"), [])

    world.marks = [replace(mark(), reached="2")]
    assert world.run(until=1000.0) == {"redriven": 2}
    assert world.deliveries.released == [one for part in parts for one in part]


def test_one_run_re_drives_five_thousand_at_most() -> None:
    parts = [[key(number, chunk=part) for number in range(100)] for part in range(60)]
    world = World(marks=[mark()], parts={"first": parts})

    assert world.run() == {"redriven": 5000}
    assert world.ended == []


def test_the_trouble_of_one_account_is_told_without_addresses_and_stays_its_own() -> None:
    world = World(
        marks=[mark("first"), mark(None), mark("third")],
        parts={"third": [[key(1)]]},
        bad=frozenset({"first", None}),
        late=[chunk(1)],
    )

    assert world.run() == {"failed": 2, "redriven": 1, "sent_again": 1}
    assert world.troubles == [("acme", "first", "RuntimeError"), ("acme", "none", "RuntimeError")]
    assert [name for name, _ in world.ended] == ["third"]


def test_a_late_chunk_has_one_message_however_much_of_it_is_late() -> None:
    world = World(late=[chunk(1), chunk(2), chunk(1), chunk(3), chunk(2)], unclaimed=frozenset({chunk(3)}))

    assert world.run() == {"sent_again": 2}
    assert world.queue.sent == [chunk(1), chunk(2)]
    assert world.before == NOW - timedelta(minutes=15)


def test_one_run_sends_some_five_hundred_chunks_and_those_claimed_before_take_no_place() -> None:
    late = [chunk(number) for number in range(1000)]
    world = World(late=late, unclaimed=frozenset(late[:200]))

    assert world.run() == {"sent_again": 500}
    assert world.queue.sent == late[200:700]


def test_late_chunks_are_looked_for_only_while_there_is_time() -> None:
    world = World(late=[chunk(1)])

    assert world.run(until=0.0) == {}
    assert world.claims == []


def test_however_many_marks_are_in_trouble_the_others_have_their_turn() -> None:
    bad = [mark(f"bad-{number}") for number in range(130)]
    world = World(marks=[*bad, mark()], parts={"first": [[key(1)]]}, bad=frozenset(one.name for one in bad))

    assert world.run() == {"failed": 130, "redriven": 1}
