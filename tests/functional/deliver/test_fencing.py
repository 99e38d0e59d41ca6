"""A chunk has one owner at a time: who lost it writes nothing more, who gives it back is not waited for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from tocsin.adapters.journal import Journals, Tables
from tocsin.adapters.payload_store import PayloadStore
from tocsin.adapters.transactions import Transactions
from tocsin.errors import ChunkOwned
from tocsin.model.chunk import Chunk, chunk_of
from tocsin.model.delivery import Change, State, queued
from tocsin.model.event import check_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.adapters.journal import ChunkJournal

    from tests.functional.deliver.stack import Acme

    Write = Callable[["Worker"], object]

_LEASE = timedelta(seconds=65)
_MOMENT = timedelta(milliseconds=1)
_ANA, _BO, _CY = "ana@example.org", "bo@example.org", "cy@example.org"


@dataclass
class Clock:
    """The time of all workers."""

    now: datetime = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_time(self, passed: timedelta) -> None:
        """Let time pass."""
        self.now += passed


@dataclass(kw_only=True)
class Worker:
    """A function that works on the chunk, and the changes it made so far."""

    journal: ChunkJournal
    made: dict[str, Change] = field(default_factory=dict)

    def begin(self, *recipients: str, last: bool = False) -> set[str]:
        """Journal `submitting`; the recipients in conflict."""
        return self._write(State.SUBMITTING, recipients, last=last)

    def answer(self, *recipients: str, last: bool = False) -> set[str]:
        """Journal `accepted` for what was begun; the recipients in conflict."""
        return self._write(State.ACCEPTED, recipients, last=last)

    def _write(self, state: State, recipients: tuple[str, ...], *, last: bool) -> set[str]:
        changes = [self._change(recipient, state) for recipient in recipients]
        conflicts = self.journal.write(changes, last=last)
        self.made |= {change.before.recipient: change for change in changes}
        return set(conflicts)

    def _change(self, recipient: str, state: State) -> Change:
        stands = self.journal.entries.get(recipient) or queued(recipient, f"<{recipient.partition('@')[0]}@acme>")
        before = self.made[recipient].after if recipient in self.made else stands
        attempt = before.attempt + (state is State.SUBMITTING)
        return Change(before=before, state=state, attempt=attempt, mail_account_id="one")


@dataclass(kw_only=True)
class Stored:
    """A stored chunk whose workers share a clock."""

    journals: Journals
    chunk: Chunk
    clock: Clock

    def worker(self) -> Worker:
        """A further worker, who reads the chunk now."""
        stored = self.journals.resume(self.chunk)
        assert stored is not None
        return Worker(journal=stored.journal)

    def later(self, wait: timedelta) -> Worker:
        """A further worker, who comes after a while."""
        self.clock.now += wait
        return self.worker()


@pytest.fixture
def stored(acme: Acme) -> Stored:
    """A stored chunk of three, of which nothing is submitted."""
    client, clock = boto3.client("dynamodb"), Clock()
    event = acme.event(_ANA, _BO, _CY)
    notification = check_event(event)
    chunk = chunk_of(notification)
    journals = Journals(
        client,
        Tables(deliveries="DeliveriesTable", ephemeral="EphemeralTable"),
        transactions=Transactions(client, pause=lambda _: None),
        payloads=PayloadStore(lambda: boto3.client("s3"), "payloads"),
        lease=_LEASE,
        retention=timedelta(days=30),
        clock=clock,
    )
    journals.store({chunk: event}, notification, received_at=clock())
    return Stored(journals=journals, chunk=chunk, clock=clock)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda worker: worker.begin(_BO), id="submitting"),
        pytest.param(lambda worker: worker.answer(_ANA), id="answer"),
        pytest.param(lambda worker: worker.answer(_ANA, last=True), id="last-answer"),
        pytest.param(lambda worker: worker.journal.write([], last=True), id="giving-back"),
    ],
)
def test_an_owner_whose_chunk_was_taken_over_writes_nothing_more(stored: Stored, acme: Acme, write: Write) -> None:
    first = stored.worker()
    first.begin(_ANA)
    second = stored.later(_LEASE)
    second.begin(_ANA)
    before = acme.deliveries()

    with pytest.raises(ChunkOwned):
        write(first)

    assert acme.deliveries() == before
    assert second.answer(_ANA, last=True) == set()
    assert acme.states() == {_ANA: "accepted"}


def test_a_live_lease_keeps_others_out_until_its_very_end(stored: Stored, acme: Acme) -> None:
    stored.worker().begin(_ANA)

    with pytest.raises(ChunkOwned):
        stored.later(_LEASE - _MOMENT).begin(_ANA)
    stored.later(_MOMENT).begin(_ANA)

    assert acme.deliveries()[_ANA]["attempt"] == 2


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        pytest.param({"state": {"S": "accepted"}}, "accepted", id="another-state"),
        pytest.param({"fence": {"N": str(2**60)}}, "submitting", id="a-younger-owner"),
    ],
)
def test_one_recipient_that_was_changed_meanwhile_is_dropped_and_the_others_are_written(
    stored: Stored, acme: Acme, standing: dict[str, dict[str, str]], state: str
) -> None:
    worker = stored.worker()
    worker.begin(_ANA, _BO, _CY)
    [(name, value)] = standing.items()
    boto3.client("dynamodb").update_item(
        TableName="DeliveriesTable",
        Key={"pk": {"S": stored.chunk.partition}, "sk": {"S": _BO}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )

    assert worker.answer(_ANA, _BO, _CY, last=True) == {_BO}

    assert acme.states() == {_ANA: "accepted", _BO: state, _CY: "accepted"}
    assert "log" not in acme.deliveries()[_BO]


def test_the_conflict_that_is_returned_is_what_stands_there(stored: Stored) -> None:
    stored.worker().begin(_ANA, last=True)
    second = stored.later(_MOMENT)
    change = Change(before=queued(_ANA, "<ana@acme>"), state=State.SUBMITTING, attempt=1, mail_account_id="one")

    [conflict] = second.journal.write([change], last=True).values()

    assert (conflict.recipient, conflict.state, conflict.attempt, conflict.stored) == (_ANA, "submitting", 1, True)


@pytest.mark.parametrize(
    "give_back",
    [
        pytest.param(lambda worker: worker.begin(_BO, last=True), id="with-the-first-write"),
        pytest.param(lambda worker: (worker.begin(_BO), worker.answer(_BO, last=True)), id="with-a-later-write"),
        pytest.param(lambda worker: (worker.begin(_BO), worker.journal.write([], last=True)), id="with-nothing-else"),
    ],
)
def test_a_chunk_that_was_given_back_is_taken_by_the_next_owner_at_once(
    stored: Stored, acme: Acme, give_back: Write
) -> None:
    give_back(stored.worker())

    assert stored.later(_MOMENT).begin(_ANA) == set()

    assert acme.states()[_ANA] == "submitting"


@pytest.mark.parametrize("apart", [timedelta(0), _MOMENT, _LEASE / 2])
def test_of_two_who_come_at_once_one_owns_the_chunk(stored: Stored, acme: Acme, apart: timedelta) -> None:
    first = stored.worker()
    second = stored.later(apart)
    second.begin(_ANA)

    with pytest.raises(ChunkOwned):
        first.begin(_BO)

    assert acme.states() == {_ANA: "submitting"}


def _work_and_leave(owner: Worker) -> None:
    owner.begin(_ANA)
    owner.answer(_ANA, last=True)


@pytest.mark.parametrize("owner_is_older", [True, False], ids=["an-older-owner", "a-younger-owner"])
def test_who_read_the_chunk_before_another_owner_came_and_went_never_gets_it(
    stored: Stored, acme: Acme, *, owner_is_older: bool
) -> None:
    older, younger = stored.worker(), stored.later(_MOMENT)
    owner, reader = (older, younger) if owner_is_older else (younger, older)
    _work_and_leave(owner)
    stored.clock.now += _MOMENT

    with pytest.raises(ChunkOwned):
        reader.begin(_BO)

    assert acme.states() == {_ANA: "accepted"}


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda owner, _: owner.answer(_ANA, last=True), id="the-owner-gave-it-back"),
        pytest.param(lambda _, clock: clock.pass_time(_LEASE), id="its-lease-ended"),
    ],
)
def test_who_read_the_chunk_while_its_owner_was_at_work_never_gets_it(
    stored: Stored, acme: Acme, end: Callable[[Worker, Clock], object]
) -> None:
    owner = stored.worker()
    owner.begin(_ANA)
    reader = stored.later(_MOMENT)
    end(owner, stored.clock)
    before = acme.deliveries()

    with pytest.raises(ChunkOwned):
        reader.begin(_BO)

    assert acme.deliveries() == before
    assert stored.later(_MOMENT).begin(_BO) == set()


@pytest.mark.parametrize("passed", [timedelta(0), -_LEASE], ids=["at-once", "by-a-clock-that-is-behind"])
def test_every_owner_has_a_higher_fence_than_the_last(stored: Stored, acme: Acme, passed: timedelta) -> None:
    _work_and_leave(stored.worker())
    first = acme.deliveries()[_ANA]["fence"]
    stored.clock.now += passed

    stored.worker().begin(_BO)

    assert acme.deliveries()[_BO]["fence"] > first


def test_all_of_a_chunk_is_kept_for_as_long_as_its_notification_whenever_it_is_written(
    acme: Acme, stored: Stored
) -> None:
    stored.worker().begin(_ANA, last=True)
    stored.later(timedelta(days=6)).begin(_BO, last=True)

    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="DeliveriesTable")
    items = [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith(f"{acme.id}#")]
    assert len(items) == 4
    assert len({item["ttl"]["N"] for item in items}) == 1
