"""The journal of deliveries in DeliveriesTable: one partition a chunk, every write conditional (DESIGN section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched
from typing import TYPE_CHECKING, Any, cast

from tocsin.adapters import journal_items as items
from tocsin.adapters.shared_items import put_shared, read_shared
from tocsin.errors import AlreadyStored, ChunkOwned, InvalidNotification, TransientError
from tocsin.model.event import as_first_told, check_event
from tocsin.model.notification import PayloadReference
from tocsin.model.shared_item import SharedItemsChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, WriteRequestTypeDef

    from tocsin.adapters.payload_store import PayloadStore
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.chunk import Chunk
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.notification import Notification
    from tocsin.model.shared_item import SharedItem

_INLINE_BYTES = 300_000
_BATCH_WRITE_ITEMS = 25
_BATCH_WRITE_ROUNDS = 8


class ChunkJournal:
    """The journal of one chunk, as seen by one worker; the first write takes the chunk."""

    def __init__(
        self,
        transactions: Transactions,
        owner: items.Ownership,
        *,
        received_at: datetime,
        entries: Mapping[str, Entry],
        first_item: items.Item | None,
        shared_table: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._transactions = transactions
        self._owner = owner
        self._shared_table = shared_table
        self._first_item = first_item
        self._clock = clock
        self._held = False
        self.received_at = received_at
        self.entries = entries

    @property
    def is_stored(self) -> bool:
        """Whether the notification is stored, so that the chunk can come back by its pointer."""
        return self._first_item is None

    def write(self, changes: Sequence[Change], *, last: bool, beside: Sequence[SharedItem] = ()) -> Mapping[str, Entry]:
        """Write the changes, all or those that may be; `last` gives the chunk back in the same write.

        `beside` is written with them. Returns what stands there instead, for each recipient whose change was not
        written. One that this worker has written before, and did not hear of it, is written.

        Raises:
            ChunkOwned: another worker owns the chunk, or did since it was read; nothing was written.
            AlreadyStored: the notification that was taken to be new is stored; nothing was written.
            SharedItemsChanged: items of `beside` are no longer as they were read; nothing was written.
            TransientError: the table is too busy.
        """
        conflicts: dict[str, Entry] = {}
        while changes or beside or (last and self._held):
            frame = self._frame(last=last)
            now = self._clock()
            shared = [put_shared(self._shared_table, item) for item in beside]
            writes = [items.change_delivery(self._owner, change, now=now) for change in changes]
            failed = self._transactions.write([*frame, *shared, *writes])
            if not failed:
                self._held, self._first_item = not last, None
                break
            self._raise_for_frame(failed, frame)
            _raise_for_shared({position - len(frame): item for position, item in failed.items()}, beside)
            done: set[str] = set()
            for position, item in failed.items():
                change = changes[position - len(frame) - len(shared)]
                done.add(change.before.recipient)
                if not items.is_written(self._owner, change, item):
                    conflicts[change.before.recipient] = items.read_entry(item) if item else change.before
            changes = [change for change in changes if change.before.recipient not in done]
        return conflicts

    def _frame(self, *, last: bool) -> list[TransactWriteItemTypeDef]:
        """The writes around the changes: they take, hold or give back the chunk, and store a new notification."""
        if self._held:
            return [items.give_lease_back(self._owner) if last else items.hold_lease(self._owner)]
        if self._owner.found is not None and self._owner.found.is_live:
            raise ChunkOwned("another worker owned the chunk when it was read")
        frame = [items.take_lease(self._owner, now=self._clock(), given_back=last)]
        if self._first_item is not None:
            frame.append(items.put_notification(self._owner, self._first_item))
        return frame

    def _raise_for_frame(self, failed: Mapping[int, items.Item], frame: Sequence[TransactWriteItemTypeDef]) -> None:
        if len(frame) > 1 and 1 in failed:
            raise AlreadyStored("the notification is stored")
        if 0 in failed:
            raise ChunkOwned("another worker owns the chunk")


def _raise_for_shared(failed: Mapping[int, items.Item], beside: Sequence[SharedItem]) -> None:
    changed = [read_shared(item.key, failed[position]) for position, item in enumerate(beside) if position in failed]
    if changed:
        raise SharedItemsChanged(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChunk:
    """A chunk as it is stored: the event with the chunk's own recipients, and its journal."""

    event: dict[str, Any]
    journal: ChunkJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The names of the tables that a journal's transactions write to."""

    deliveries: str
    ephemeral: str


class Journals:
    """The journals of all chunks. `lease` must outlive the function that holds it."""

    def __init__(
        self,
        client: DynamoDBClient,
        tables: Tables,
        *,
        transactions: Transactions,
        payloads: PayloadStore,
        lease: timedelta,
        retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._table = tables.deliveries
        self._transactions = transactions
        self._shared_table = tables.ephemeral
        self._payloads = payloads
        self._lease = lease
        self._retention = retention
        self._clock = clock

    def begin(
        self, chunk: Chunk, event: dict[str, Any], notification: Notification, *, received_at: datetime
    ) -> ChunkJournal:
        """The journal of a chunk that is taken to be new; its first write raises `AlreadyStored` if it is not."""
        return ChunkJournal(
            self._transactions,
            self._owner(chunk, notification, received_at),
            received_at=received_at,
            entries={},
            first_item=self._item(chunk, event, notification, received_at),
            shared_table=self._shared_table,
            clock=self._clock,
        )

    def resume(self, chunk: Chunk) -> StoredChunk | None:
        """The chunk as it is stored; None if it never was, or its retention is over."""
        now = self._clock()
        stored: items.Item | None = None
        lease: items.Lease | None = None
        entries: dict[str, Entry] = {}
        for item in self._items(chunk):
            match item["sk"]["S"]:
                case items.NOTIFICATION:
                    stored = item
                case items.LEASE:
                    lease = items.read_lease(item, now)
                case recipient:
                    entries[recipient] = items.read_entry(item)
        if stored is None:
            return None
        event = self._event(chunk, stored)
        received_at = datetime.fromisoformat(stored["received_at"]["S"])
        journal = ChunkJournal(
            self._transactions,
            self._owner(chunk, check_event(event), received_at, found=lease),
            received_at=received_at,
            entries=entries,
            first_item=None,
            shared_table=self._shared_table,
            clock=self._clock,
        )
        return StoredChunk(event=event, journal=journal)

    def store(
        self, chunks: Mapping[Chunk, dict[str, Any]], notification: Notification, *, received_at: datetime
    ) -> None:
        """Store the events of all chunks of one notification. Storing it again is no error: what came first stays.

        Raises:
            InvalidNotification: another event with the same source and id is stored.
            TransientError: the table is too busy.
        """
        (first, event), *others = chunks.items()
        identity: items.Item = {"recipients_sha256": {"S": _digest(chunks)}}
        owner = self._owner(first, notification, received_at)
        put = items.put_notification(owner, {**self._item(first, event, notification, received_at), **identity})
        standing = self._transactions.write([put]).get(0)
        if standing is not None and standing.get("recipients_sha256") != identity["recipients_sha256"]:
            raise InvalidNotification("id_reused", "another event with this source and id was stored before")
        if standing is not None:
            received_at, told = datetime.fromisoformat(standing["received_at"]["S"]), self._event(first, standing)
            notification = check_event(told)
            others = [(chunk, as_first_told(event, told, number=chunk.number)) for chunk, event in others]
        for batch in batched(others, _BATCH_WRITE_ITEMS, strict=False):
            self._put_all([self._item(chunk, event, notification, received_at) for chunk, event in batch])

    def _put_all(self, batch: Sequence[items.Item]) -> None:
        writes: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in batch]
        for attempt in range(_BATCH_WRITE_ROUNDS):
            answer = self._client.batch_write_item(RequestItems={self._table: writes})
            writes = [*cast("Sequence[WriteRequestTypeDef]", answer["UnprocessedItems"].get(self._table, ()))]
            if not writes:
                return
            self._transactions.pause_before_try(attempt + 1)
        raise TransientError("DeliveriesTable did not take all chunks")

    def _owner(
        self, chunk: Chunk, notification: Notification, received_at: datetime, *, found: items.Lease | None = None
    ) -> items.Ownership:
        """The hold on a chunk, all of which is kept for as long as its notification: without that nothing goes."""
        now = self._clock()
        return items.Ownership(
            table=self._table,
            chunk=chunk,
            fence=items.fence_at(now, found=found),
            ends_at=now + self._lease,
            ttl=self._ttl(received_at),
            type=notification.type,
            correlation=notification.correlation,
            found=found,
        )

    def _item(
        self, chunk: Chunk, event: Mapping[str, Any], notification: Notification, received_at: datetime
    ) -> items.Item:
        ttl = self._ttl(received_at)
        item = items.notification_attributes(chunk, notification, received_at=received_at, ttl=ttl)
        packed = items.pack(event)
        if len(packed) <= _INLINE_BYTES:
            return {**item, "event": {"B": packed}}
        name = f"events/{chunk.notification_key}/{chunk.number}"
        reference = self._payloads.put(chunk.project_id, name, packed)
        return {**item, "event_ref": {"S": reference.model_dump_json()}}

    def _event(self, chunk: Chunk, stored: items.Item) -> dict[str, Any]:
        if "event" in stored:
            return items.unpack(stored["event"]["B"])
        reference = PayloadReference.model_validate_json(stored["event_ref"]["S"])
        return items.unpack(self._payloads.get(reference, chunk.project_id))

    def _items(self, chunk: Chunk) -> Iterator[items.Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :partition",
            ExpressionAttributeValues={":partition": {"S": chunk.partition}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def _ttl(self, start: datetime) -> int:
        return int((start + self._retention).timestamp())


def _digest(chunks: Mapping[Chunk, Mapping[str, Any]]) -> str:
    """What tells whether two events with one key go to the same recipients."""
    digest = sha256()
    for event in chunks.values():
        for recipient in event["data"]["recipients"]:
            digest.update(recipient["email"].encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()
