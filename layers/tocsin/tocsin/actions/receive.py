"""Receive what the queues hold: a new notification, or a stored chunk whose time has come."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.actions.deliver import unknown_project
from tocsin.actions.delivery_run import Outcome
from tocsin.errors import AlreadyStored, InvalidNotification, TooLate
from tocsin.model.chunk import SPLIT_AT, Chunk, chunk_of, cut, distinct, read_pointer
from tocsin.model.event import check_event, check_text, project_id_of, read_event, with_recipients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.actions.deliver import Deliver
    from tocsin.actions.delivery_ports import ChunkJournal
    from tocsin.actions.delivery_run import TimeLeft
    from tocsin.model.attachment import AttachedFile
    from tocsin.model.notification import Notification, PayloadReference, Recipient


class StoredChunk(Protocol):
    """A chunk as the journal holds it: the event with the chunk's own recipients, and its deliveries."""

    @property
    def event(self) -> dict[str, Any]:
        """The event, checked when it was stored."""
        ...

    @property
    def journal(self) -> ChunkJournal:
        """The journal of the chunk."""
        ...


class Journals(Protocol):
    """The journals of all chunks."""

    def begin(
        self, chunk: Chunk, event: dict[str, Any], notification: Notification, *, received_at: datetime
    ) -> ChunkJournal:
        """The journal of a chunk that is taken to be new; its first write raises `AlreadyStored` if it is not."""
        ...

    def resume(self, chunk: Chunk) -> StoredChunk | None:
        """The chunk as it is stored; None if it never was, or its retention is over."""
        ...

    def store(
        self, chunks: Mapping[Chunk, dict[str, Any]], notification: Notification, *, received_at: datetime
    ) -> None:
        """Store the events of all chunks of one notification. Storing it again is no error: what came first stays.

        Raises:
            InvalidNotification: another event with the same source and id is stored.
        """
        ...


class Payloads(Protocol):
    """The stack's PayloadBucket."""

    def recipients(self, reference: PayloadReference, project_id: str) -> Sequence[Recipient]:
        """The recipients in a JSON Lines object.

        Raises:
            InvalidNotification: not ours, not there, not what its digest says, or not recipients.
        """
        ...

    def get(self, reference: PayloadReference, project_id: str, *, at_most: int) -> bytes:
        """The octets that `reference` names.

        Raises:
            InvalidNotification: not ours, not there, more than `at_most`, or not what its digest says.
        """
        ...

    def put(self, project_id: str, name: str, content: bytes) -> PayloadReference:
        """Store octets under the project's own prefix."""
        ...


class BulkQueue(Protocol):
    """The queue of stored chunks."""

    def send(self, chunks: Iterable[Chunk], *, at: datetime | None = None) -> None:
        """Have the chunks delivered, not before `at`, in hops of up to 15 minutes."""
        ...


class DeadLetters(Protocol):
    """The queue of what can never be delivered."""

    def put(self, body: str, rejection: InvalidNotification, *, project_id: str | None) -> None:
        """Store the body as it came, with its `RejectReason`."""
        ...


class RejectionBus(Protocol):
    """Where rejections are told."""

    def notification_rejected(self, rejection: InvalidNotification, event: dict[str, Any] | None) -> None:
        """Publish the rejection. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """The action and all that it needs.

    Of the longest lists, and of notifications with large files, the function's memory holds one at a time.
    """

    deliver: Deliver
    journals: Journals
    payloads: Payloads
    bulk_queue: BulkQueue
    dead_letters: DeadLetters
    bus: RejectionBus
    clock: Callable[[], datetime]
    one_list_at_a_time: Lock = field(default_factory=Lock)
    large_files_at_a_time: RLock = field(default_factory=RLock)

    def notification(self, body: str, *, seen_before: bool, time_left: TimeLeft) -> Outcome:
        """Receive a message of the NotificationQueue. `seen_before`: SQS has given it out before.

        Raises:
            TransientError: give the message back; nothing is lost.
        """
        event: dict[str, Any] | None = None
        try:
            event = read_event(body)
            check_text(event)
            notification = check_event(event)
            return self._received(notification, event, seen_before=seen_before, time_left=time_left)
        except InvalidNotification as rejection:
            return self._reject(body, rejection, event)

    def chunk(self, body: str, *, time_left: TimeLeft) -> Outcome:
        """Receive a message of the BulkQueue: the pointer to a stored chunk.

        Raises:
            TransientError: give the message back; nothing is lost.
        """
        try:
            chunk = read_pointer(body)
            return self._resume(chunk, time_left)
        except InvalidNotification as rejection:
            return self._reject(body, rejection, None)

    def _received(
        self, notification: Notification, event: dict[str, Any], *, seen_before: bool, time_left: TimeLeft
    ) -> Outcome:
        is_list = notification.data.recipients_ref is not None
        with self.one_list_at_a_time if is_list else nullcontext():
            recipients = tuple(distinct(self._recipients(notification)).values())
            if len(recipients) > SPLIT_AT:
                with self._room_for_files(notification, time_left):
                    return self._split(notification, event, recipients, time_left)
        with self._room_for_files(notification, time_left):
            return self._few(notification, event, recipients, seen_before=seen_before, time_left=time_left)

    def _few(
        self,
        notification: Notification,
        event: dict[str, Any],
        recipients: Sequence[Recipient],
        *,
        seen_before: bool,
        time_left: TimeLeft,
    ) -> Outcome:
        """Deliver a notification that is one chunk."""
        chunk = chunk_of(notification)
        stored = self.journals.resume(chunk) if seen_before else None
        if stored is None:
            files = self._files(notification)
            whole = with_recipients(event, recipients)
            journal = self.journals.begin(chunk, whole, notification, received_at=self.clock())
            try:
                return self._deliver(check_event(whole), chunk, journal, time_left, files=lambda: files)
            except AlreadyStored:
                return self._resume(chunk, time_left)
        return self._go_on(check_event(stored.event), chunk, stored.journal, time_left)

    def _files(self, notification: Notification) -> Sequence[AttachedFile]:
        """What goes along with the mails, read and checked."""
        if not notification.data.options.attachments:
            return ()
        from tocsin.actions.read_attachments import read_attachments  # noqa: PLC0415  (few events have any)

        return read_attachments(notification, self.payloads)

    def _recipients(self, notification: Notification) -> Sequence[Recipient]:
        reference = notification.data.recipients_ref
        if reference is None:
            return notification.data.recipients or ()
        return self.payloads.recipients(reference, notification.project_id)

    def _split(
        self, notification: Notification, event: dict[str, Any], recipients: Sequence[Recipient], time_left: TimeLeft
    ) -> Outcome:
        if not time_left.begins(0):
            raise TooLate("too little time is left to cut the notification")
        if self.deliver.settings.project(notification.project_id) is None:
            raise unknown_project()
        event = self._with_files_kept(notification, event)
        chunks = {
            chunk_of(notification, number): with_recipients(event, part, number=number)
            for number, part in enumerate(cut(recipients))
        }
        self.journals.store(chunks, notification, received_at=self.clock())
        self.bulk_queue.send(chunks)
        return Outcome(chunks=len(chunks), ids=_ids(chunk_of(notification)))

    def _with_files_kept(self, notification: Notification, event: dict[str, Any]) -> dict[str, Any]:
        """The event with its attachments by reference, read and checked before any chunk is stored."""
        if not notification.data.options.attachments:
            return event
        from tocsin.actions.read_attachments import with_references  # noqa: PLC0415  (as above)

        self._files(notification)
        return with_references(event, notification, self.payloads)

    def _resume(self, chunk: Chunk, time_left: TimeLeft) -> Outcome:
        stored = self.journals.resume(chunk)
        if stored is None:
            raise InvalidNotification("chunk_not_found", "the chunk is not stored, or no longer")
        notification = check_event(stored.event)
        with self._room_for_files(notification, time_left):
            return self._go_on(notification, chunk, stored.journal, time_left)

    def _go_on(self, notification: Notification, chunk: Chunk, journal: ChunkJournal, time_left: TimeLeft) -> Outcome:
        """Deliver a stored chunk, or end what is left of it: else the sweep would send its pointer again and again."""
        try:
            return self._deliver(notification, chunk, journal, time_left)
        except InvalidNotification as rejection:
            from tocsin.actions.end_chunk import end_chunk  # noqa: PLC0415  (few projects are deleted)

            states = end_chunk(notification, chunk, journal, reason=rejection.reason, bus=self.deliver.bus)
            if not states:
                raise
            return Outcome(states=states, ids=_ids(chunk))

    @contextmanager
    def _room_for_files(self, notification: Notification, time_left: TimeLeft) -> Iterator[None]:
        """Wait for the one place that notifications with files of any size share; those without do not.

        Raises:
            TooLate: another notification of this process has the place.
        """
        if all(attachment.ref is None for attachment in notification.data.options.attachments):
            yield
            return
        if not self.large_files_at_a_time.acquire(timeout=max(0.0, time_left.deadline - time_left.monotonic())):
            raise TooLate("another notification with files is on its way")
        try:
            yield
        finally:
            self.large_files_at_a_time.release()

    def _deliver(
        self,
        notification: Notification,
        chunk: Chunk,
        journal: ChunkJournal,
        time_left: TimeLeft,
        *,
        files: Callable[[], Sequence[AttachedFile]] | None = None,
    ) -> Outcome:
        """Deliver a chunk; its `files`, where they are not read yet, are read if one of its mails is written."""
        files = files or partial(self._files, notification)
        outcome = self.deliver(notification, chunk, journal, files=files, time_left=time_left)
        if outcome.come_back_at is not None:
            self.bulk_queue.send([chunk], at=outcome.come_back_at)
        outcome.ids |= _ids(chunk)
        return outcome

    def _reject(self, body: str, rejection: InvalidNotification, event: dict[str, Any] | None) -> Outcome:
        self.dead_letters.put(body, rejection, project_id=project_id_of(event))
        self.bus.notification_rejected(rejection, event)
        return Outcome(rejected=rejection.reason)


def _ids(chunk: Chunk) -> dict[str, str]:
    return {"project_id": chunk.project_id, "notification_key": chunk.notification_key, "chunk": str(chunk.number)}
