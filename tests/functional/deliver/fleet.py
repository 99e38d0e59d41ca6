"""Processes of DeliverFunction that share the stack, each with sessions of its own, and a clock that a test moves."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import batched, count
from typing import TYPE_CHECKING, Any

from tocsin import wiring
from tocsin.actions.delivery_run import TimeLeft
from tocsin.adapters.sessions import Sessions
from tocsin.adapters.settings_store import SettingsStore
from tocsin.adapters.shared_items import SharedItems
from tocsin.adapters.submission import Submission
from tocsin.adapters.transactions import Transactions
from tocsin.errors import TransientError
from tocsin.model.chunk import pointer

from functions.deliver.side_by_side import work_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tocsin.actions.delivery_run import Outcome
    from tocsin.model.chunk import Chunk
    from tocsin.model.redrive import DeliveryKey

_SECONDS = 60.0
_TIME_LEFT = TimeLeft(seconds=lambda: _SECONDS, monotonic=time.monotonic, function_timeout=_SECONDS)
_RECORDS_A_BATCH = 10
_ROUNDS = 100
_holders = count(1)


@dataclass(slots=True)
class Clock:
    """The time of all processes; it passes only when it is told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def monotonic(self) -> float:
        """The time in seconds."""
        return self.now.timestamp()

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of one of the two queues, and when it shows."""

    body: str
    at: datetime
    is_pointer: bool = False
    receives: int = 1


@dataclass(slots=True)
class Queue:
    """Both queues. `delays` are the seconds after which pointers come back; `before_receive` is told of each try."""

    clock: Clock
    messages: list[Message] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    before_receive: Callable[[], None] = lambda: None

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        """Queue pointers to stored chunks, as the BulkQueue does."""
        for chunk in chunks:
            message = Message(body=pointer(chunk), at=at or self.clock(), is_pointer=True)
            self.delays.append((message.at - self.clock()).total_seconds())
            self.messages.append(message)

    def publish(self, event: Mapping[str, Any]) -> None:
        """Queue a notification, as the NotificationQueue does."""
        self.messages.append(Message(body=json.dumps(event), at=self.clock()))

    def receive(self) -> list[Message]:
        """Take what shows; where nothing does, let time pass until something does."""
        self.before_receive()
        if self.messages:
            self.clock.now = max(self.clock.now, min(message.at for message in self.messages))
        showing = [message for message in self.messages if message.at <= self.clock.now]
        self.messages = [message for message in self.messages if message.at > self.clock.now]
        return showing


class Process:
    """One process of the function."""

    def __init__(self, queue: Queue) -> None:
        dynamodb, clock = wiring.client("dynamodb"), queue.clock
        self._queue = queue
        self.holder = f"process-{next(_holders)}"
        self.slots = SharedItems(dynamodb, Transactions(dynamodb, pause=time.sleep), "EphemeralTable")
        self.sessions = Sessions(
            lambda account, credential: Submission(account, credential, egress=wiring.egress()),
            self.slots,
            holder=self.holder,
            connections=lambda account: account.limits.connections,
            clock=clock,
            monotonic=time.monotonic,
        )
        made = wiring.receive(_not_told, _no_way_out)
        settings = SettingsStore(dynamodb, "SettingsTable", monotonic=clock.monotonic)
        self.digests = replace(wiring.send_digest(_not_told), publish=queue.publish, clock=clock)
        deliver = replace(
            made.deliver, sessions=self.sessions, settings=settings, send_digest=self._send_digest, clock=clock
        )
        self._receive = replace(made, deliver=deliver, bulk_queue=queue, clock=clock)

    def invoke(self, batch: Sequence[Message]) -> list[str]:
        """Work on a batch, and put back what cannot be done now; the names of the errors for which that is."""
        done = work_side_by_side(batch, self._work, seconds=_SECONDS)
        self.sessions.close()
        failed = [worked for worked in done if worked.outcome is None]
        for worked in failed:
            if not isinstance(worked.error, TransientError):
                raise worked.error or AssertionError("a record was not done in time")
            self._queue.messages.append(replace(worked.record, receives=worked.record.receives + 1))
        return [type(worked.error).__name__ for worked in failed]

    def _send_digest(self, *args: Any, **kwargs: Any) -> AbstractSet[DeliveryKey]:  # noqa: ANN401  (its own signature)
        return self.digests(*args, **kwargs)

    def _work(self, message: Message) -> Outcome:
        if message.is_pointer:
            return self._receive.chunk(message.body, time_left=_TIME_LEFT)
        return self._receive.notification(message.body, seen_before=message.receives > 1, time_left=_TIME_LEFT)


@dataclass(slots=True)
class Fleet:
    """Some processes and their queue. `errors` are those for which messages went back to it."""

    queue: Queue
    processes: list[Process]
    errors: Counter[str] = field(default_factory=Counter)

    @classmethod
    @contextmanager
    def of(cls, processes: int) -> Iterator[Fleet]:
        """Start so many processes; at the end they hold no connections."""
        queue = Queue(Clock())
        fleet = cls(queue, [Process(queue) for _ in range(processes)])
        try:
            yield fleet
        finally:
            queue.clock.pass_seconds(2 * _SECONDS)
            for process in fleet.processes:
                process.sessions.close()

    @property
    def clock(self) -> Clock:
        """The time of all of them."""
        return self.queue.clock

    def publish(self, *events: dict[str, Any]) -> None:
        """Queue these notifications."""
        self.queue.messages += [Message(body=json.dumps(event), at=self.clock()) for event in events]

    def work_once(self, number: int = 0) -> None:
        """Let one process work on all that shows."""
        self.errors.update(self.processes[number].invoke(self.queue.receive()))

    def work_until_done(self) -> None:
        """Let all processes work at the same time, until nothing comes back."""
        for _ in range(_ROUNDS):
            self.work_together()
            if not self.queue.messages:
                return
        raise AssertionError("there is no end to it")

    def work_together(self) -> None:
        """Let all processes work at the same time, once."""
        with ThreadPoolExecutor(max_workers=len(self.processes)) as pool:
            for errors in pool.map(_invoke, self._shares()):
                self.errors.update(errors)

    def _shares(self) -> list[tuple[Process, Sequence[Message]]]:
        """What shows, dealt out in batches; what is too much goes on showing."""
        showing = self.queue.receive()
        size = max(1, min(_RECORDS_A_BATCH, -(-len(showing) // len(self.processes))))
        batches = list(batched(showing, size, strict=False))
        for batch in batches[len(self.processes) :]:
            self.queue.messages += batch
        return list(zip(self.processes, batches, strict=False))


def _invoke(share: tuple[Process, Sequence[Message]]) -> list[str]:
    process, batch = share
    return process.invoke(batch)


def _not_told(error: str, count: int) -> None:
    raise AssertionError(f"{count} events were not told: {error}")


def _no_way_out(project_id: str) -> None:
    raise AssertionError(f"the subscribers of {project_id} cannot leave")
