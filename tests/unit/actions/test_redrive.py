"""Re-driving deliveries: only in the states asked for, as whole chunks, in order, and never twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.redrive import Redrive
from tocsin.errors import TransientError
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import Entry, State
from tocsin.model.redrive import REDRIVABLE, DeliveryKey

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime


def key(number: int, *, chunk: int = 0) -> DeliveryKey:
    """The key of one delivery."""
    return DeliveryKey(
        chunk=Chunk(project_id="acme", notification_key="a" * 64, number=chunk), recipient=f"p{number}@example.org"
    )


@dataclass
class FakeDeliveries:
    """Deliveries by key and state; `moved` are those that another worker moves between reading and writing."""

    states: dict[DeliveryKey, State]
    moved: frozenset[DeliveryKey] = frozenset()
    released: list[DeliveryKey] = field(default_factory=list)
    asked: list[tuple[datetime, str, bool, datetime | None]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def entries(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Entry]:
        self.batches.append(len(keys))
        return {
            one: Entry(recipient=one.recipient, state=self.states[one], attempt=1, message_id="<1@acme.example>")
            for one in reversed(keys)
            if one in self.states
        }

    def release(
        self,
        entries: Mapping[DeliveryKey, Entry],
        *,
        at: datetime,
        by: str,
        revive: bool,
        unchanged_since: datetime | None,
    ) -> Sequence[DeliveryKey]:
        self.asked.append((at, by, revive, unchanged_since))
        gone = [one for one in entries if one not in self.moved]
        self.released += gone
        return gone


@dataclass
class FakeQueue:
    """A queue that keeps what it is sent."""

    sent: list[Chunk] = field(default_factory=list)
    fails: bool = False

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        del at
        if self.fails:
            raise TransientError("the queue is away")
        self.sent += chunks


def _redrive(deliveries: FakeDeliveries, queue: FakeQueue, *keys: DeliveryKey, states: frozenset[State]) -> int:
    return Redrive(deliveries=deliveries, bulk_queue=queue)(keys, states=states, by="admin-1", at=NOW, revive=True)


@pytest.mark.parametrize("wanted", sorted(REDRIVABLE))
def test_only_what_is_in_a_state_asked_for_goes_again(wanted: State) -> None:
    keys = {state: key(number) for number, state in enumerate(State)}
    deliveries, queue = FakeDeliveries({one: state for state, one in keys.items()}), FakeQueue()

    assert _redrive(deliveries, queue, *keys.values(), states=frozenset({wanted})) == 1
    assert deliveries.released == [keys[wanted]]
    assert deliveries.asked == [(NOW, "admin-1", True, None)]


@pytest.mark.parametrize("state", sorted(set(State) - REDRIVABLE))
def test_nothing_else_can_be_asked_for(state: State) -> None:
    deliveries = FakeDeliveries({key(1): state})

    with pytest.raises(ValueError, match=state.value):
        _redrive(deliveries, FakeQueue(), key(1), states=frozenset({State.PARKED, state}))
    assert not deliveries.released


def test_a_chunk_has_one_message_however_many_of_it_go_and_the_order_is_kept() -> None:
    keys = [key(1, chunk=2), key(2, chunk=1), key(3, chunk=2), key(2, chunk=1)]
    deliveries, queue = FakeDeliveries(dict.fromkeys(keys, State.PARKED)), FakeQueue()

    assert _redrive(deliveries, queue, *keys, states=frozenset({State.PARKED})) == 3
    assert deliveries.released == keys[:3]
    assert [chunk.number for chunk in queue.sent] == [2, 1]


def test_what_another_worker_moved_meanwhile_is_not_counted_and_has_no_message() -> None:
    keys = [key(1, chunk=1), key(2, chunk=2)]
    deliveries = FakeDeliveries(dict.fromkeys(keys, State.PARKED), moved=frozenset(keys[:1]))
    queue = FakeQueue()

    assert _redrive(deliveries, queue, *keys, states=frozenset({State.PARKED})) == 1
    assert [chunk.number for chunk in queue.sent] == [2]


def test_what_is_not_stored_is_left_out() -> None:
    deliveries, queue = FakeDeliveries({}), FakeQueue()

    assert _redrive(deliveries, queue, key(1), states=frozenset({State.PARKED})) == 0
    assert (deliveries.asked, queue.sent) == ([], [])


def test_a_long_list_is_done_in_parts_of_a_hundred() -> None:
    keys = [key(number) for number in range(250)]
    deliveries = FakeDeliveries(dict.fromkeys(keys, State.PARKED))

    assert _redrive(deliveries, FakeQueue(), *keys, states=frozenset({State.PARKED})) == 250
    assert deliveries.batches == [100, 100, 50]


def test_messages_are_sent_after_the_deliveries_are_released() -> None:
    deliveries = FakeDeliveries({key(1): State.PARKED})

    with pytest.raises(TransientError):
        _redrive(deliveries, FakeQueue(fails=True), key(1), states=frozenset({State.PARKED}))
    assert deliveries.released == [key(1)]  # due without a message: the sweep comes back to it
