"""A project in a storm, all in memory: its journal, the counts that workers share, its queues, and a clock."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from tocsin.actions.delivery_run import TimeLeft
from tocsin.actions.receive import Receive
from tocsin.actions.send_digest import SendDigest
from tocsin.data.remedies import Remedies
from tocsin.errors import AlreadyStored
from tocsin.model import slot
from tocsin.model.chunk import pointer
from tocsin.model.digest import HeldMail
from tocsin.model.redrive import DeliveryKey
from tocsin.model.shared_item import SharedItem, SharedItemsChanged

from tests.unit.actions.surroundings import Surroundings, deliver_in
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tocsin.model.chunk import Chunk
    from tocsin.model.delivery import Change, Entry, State
    from tocsin.model.envelope import MailObject
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.storm import StormGroup

_TIME_LEFT = TimeLeft(seconds=lambda: 60.0, monotonic=lambda: 0.0, function_timeout=60.0)


@dataclass(slots=True, kw_only=True)
class MemoryJournal:
    """The journal of one chunk, with the event; the world holds what all chunks share."""

    world: StormWorld
    chunk: Chunk
    event: dict[str, Any]
    received_at: datetime
    is_stored: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def journal(self) -> MemoryJournal:
        """Itself: it holds the event too."""
        return self

    def write(self, changes: Sequence[Change], *, last: bool, beside: Sequence[SharedItem] = ()) -> Mapping[str, Entry]:
        """Write all, and what is beside, or nothing."""
        del last
        if not self.is_stored and self.chunk in self.world.chunks:
            raise AlreadyStored("the notification is stored")
        self.world.put_all(beside)
        self.is_stored, self.world.chunks[self.chunk] = True, self
        for change in changes:
            self.apply(change)
        return {}

    def apply(self, change: Change) -> None:
        """Write one change."""
        recipient = change.before.recipient
        self.entries[recipient] = change.after
        key = DeliveryKey(chunk=self.chunk, recipient=recipient)
        if change.hold is not None:
            mail = HeldMail(key=key, entry=change.after, held_at=self.world.now, line=change.hold.line)
            self.world.waiting[change.hold.group][key] = mail


@dataclass(slots=True, kw_only=True)
class StormWorld(Surroundings):
    """All that the actions ask for. `sent` are the types of the mails that went out, by recipient."""

    now: datetime = NOW
    chunks: dict[Chunk, MemoryJournal] = field(default_factory=dict)
    shared: dict[str, SharedItem] = field(default_factory=dict)
    waiting: dict[str, dict[DeliveryKey, HeldMail]] = field(default_factory=lambda: defaultdict(dict))
    queue: list[tuple[datetime, int, str, bool]] = field(default_factory=list)
    sent: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    digests: list[Mapping[str, Any]] = field(default_factory=list)

    def work(self) -> None:
        """Receive all that is queued, each at its time, until nothing comes back."""
        receive = self._receive()
        while self.queue:
            at, _, body, is_pointer = heappop(self.queue)
            self.now = max(self.now, at)
            self.bring(receive, body, is_pointer=is_pointer)

    def bring(self, receive: Receive, body: str, *, is_pointer: bool) -> None:
        """Receive a message."""
        if is_pointer:
            receive.chunk(body, time_left=_TIME_LEFT)
        else:
            receive.notification(body, seen_before=False, time_left=_TIME_LEFT)

    def publish(self, event: Mapping[str, Any], *, at: datetime | None = None) -> None:
        """Queue a notification."""
        self._queue(json.dumps(event), at, is_pointer=False)

    def states(self) -> Counter[State]:
        """How many deliveries stand how; the digests' own aside."""
        journals = [one for one in self.chunks.values() if one.event["type"] != "delivery.digest"]
        return Counter(entry.state for one in journals for entry in one.entries.values())

    # --- Receive's ports ---

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        """Queue pointers to chunks."""
        for chunk in chunks:
            self._queue(pointer(chunk), at, is_pointer=True)

    def begin(
        self, chunk: Chunk, event: dict[str, Any], notification: Notification, *, received_at: datetime
    ) -> MemoryJournal:
        """The journal of a chunk that is taken to be new."""
        del notification
        return MemoryJournal(world=self, chunk=chunk, event=event, received_at=received_at)

    def resume(self, chunk: Chunk) -> MemoryJournal | None:
        """The chunk as it is stored."""
        return self.chunks.get(chunk)

    def store(
        self, chunks: Mapping[Chunk, dict[str, Any]], notification: Notification, *, received_at: datetime
    ) -> None:
        """No event here is that large."""
        raise NotImplementedError

    # --- Deliver's ports ---

    def look_up(
        self,
        project_id: str,
        recipients: Iterable[str],
        keys: Iterable[str],
        **others: Any,  # noqa: ANN401  (what nobody here asks for)
    ) -> tuple[frozenset[str], list[SharedItem], Mapping[str, Any]]:
        """What stands of the shared items; nobody is suppressed."""
        del project_id, recipients, others
        return frozenset(), [self.item(key) for key in keys], {}

    def item(self, key: str) -> SharedItem:
        """What stands under the key."""
        return self.shared.get(key, SharedItem(key=key))

    def compose(self, notification: Notification, recipient: Recipient, **others: Any) -> MailObject:  # noqa: ANN401  (as above)
        """Count the mail."""
        self.sent[recipient.email][notification.type] += 1
        return Surroundings.compose(self, notification, recipient, **others)

    def put_all(self, items: Sequence[SharedItem]) -> None:
        """Write the items, if those before them stand; slots are the session's own."""
        items = [item for item in items if not item.key.startswith(slot.KIND)]
        changed = [self.item(item.key) for item in items if not self._may_follow(item)]
        if changed:
            raise SharedItemsChanged(changed)
        self.shared.update((item.key, item) for item in items if not item.is_checked_only)

    def _may_follow(self, item: SharedItem) -> bool:
        return self.item(item.key).version == (item.version if item.is_checked_only else item.version - 1)

    def _receive(self) -> Receive:
        held = self.held_mails()
        digest = SendDigest(mails=held, publish=self.publish_digest, bus=held, clock=lambda: self.now)
        deliver = deliver_in(
            self, remedies=Remedies(), send_digest=digest, write_counts=self.put_all, clock=lambda: self.now
        )
        never = _Never()
        return Receive(
            deliver=deliver,
            journals=self,
            payloads=never,
            bulk_queue=self,
            dead_letters=never,
            bus=never,
            clock=lambda: self.now,
        )

    def held_mails(self) -> HeldInMemory:
        """What is held, as `SendDigest` sees it."""
        return HeldInMemory(self)

    def publish_digest(self, event: Mapping[str, Any]) -> None:
        """Queue a digest."""
        self.digests.append(event["data"]["digest"])
        self.publish(event)

    def _queue(self, body: str, at: datetime | None, *, is_pointer: bool) -> None:
        heappush(self.queue, (at or self.now, len(self.chunks) + len(self.queue), body, is_pointer))


@dataclass(frozen=True, slots=True)
class HeldInMemory:
    """What is held, as `SendDigest` sees it."""

    world: StormWorld

    def item(self, key: str) -> SharedItem:
        """What stands."""
        return self.world.item(key)

    def put(self, item: SharedItem) -> None:
        """Write one."""
        self.world.put_all([item])

    def held(self, group: StormGroup, *, until: datetime) -> list[HeldMail]:
        """What waits for the group's digest."""
        return [mail for mail in self.world.waiting[group.name].values() if mail.held_at <= until]

    def end(self, mails: Sequence[HeldMail], digest_id: str, *, while_stands: SharedItem) -> Sequence[HeldMail]:
        """End those that still wait."""
        assert self.item(while_stands.key) == while_stands
        for mail in mails:
            self.world.chunks[mail.key.chunk].apply(mail.digested(digest_id))
            for group in self.world.waiting.values():
                group.pop(mail.key, None)
        return mails

    def mails_digested(self, mails: Sequence[HeldMail], digest_id: str) -> None:
        """There is no bus here."""


class _Never:
    """What no event here asks for: lists and files in a bucket, and the ways of what is invalid."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (any port)
        """Nobody is to ask."""
        raise AssertionError(name)
