"""Send the digest of what a person's storm held back: publish it as an event, then end what is in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.model.chunk import chunk_of
from tocsin.model.digest import digest_event
from tocsin.model.event import check_event
from tocsin.model.shared_item import SharedItemsChanged
from tocsin.model.storm import SETTLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tocsin.actions.delivery_run import TimeLeft
    from tocsin.model.digest import HeldMail
    from tocsin.model.notification import Recipient
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.shared_item import SharedItem
    from tocsin.model.storm import StormGroup

_AT_ONCE = 90
_OUTLIVES_FUNCTION_BY = timedelta(seconds=5)
_MOST_MARKED, _MARK_DIGITS = 10_000, 12  # 150 kB, of the 400 that an item has
_KEPT = timedelta(days=8)  # what is held lives seven at most
_IS_BEGUN = "is_begun"  # and may be published, or not


class HeldMails(Protocol):
    """What is held, in the journals of all chunks, and the item that says who works on a group's digest."""

    def item(self, key: str) -> SharedItem:
        """What stands under the key, there or not."""
        ...

    def put(self, item: SharedItem) -> None:
        """Write it.

        Raises:
            SharedItemsChanged: the one before it does not stand any more.
        """
        ...

    def held(self, group: StormGroup, *, until: datetime) -> Iterable[HeldMail]:
        """What is held for the group since `until` or longer, oldest first; what was held just now may be missing."""
        ...

    def end(self, mails: Sequence[HeldMail], digest_id: str, *, while_stands: SharedItem) -> Sequence[HeldMail]:
        """End those of at most 90 that are still held, as long as the item stands; those.

        Raises:
            SharedItemsChanged: the item does not stand; nothing was written.
        """
        ...


class Bus(Protocol):
    """Who is told."""

    def mails_digested(self, mails: Sequence[HeldMail], digest_id: str) -> None:
        """Publish that these are in the digest. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDigest:
    """The action and all that it needs. `publish` puts an event on the queue of notifications.

    One worker at a time has a group's digest, for as long as its function lives. It writes down first what the digest
    tells of: if it dies before it wrote that this is published, the next one publishes the same event, which is known
    by its id; if later, the next one ends the rest.
    """

    mails: HeldMails
    publish: Callable[[Mapping[str, Any]], None]
    bus: Bus
    clock: Callable[[], datetime]

    def __call__(self, group: StormGroup, recipient: Recipient, *, time_left: TimeLeft) -> AbstractSet[DeliveryKey]:
        """Send the digest of all that is held for the group; the deliveries that are so at their end.

        There are none while another worker is at it, and not all where there is no time for all.

        Raises:
            TransientError: try again; what is published and ended stands.
        """
        turn = _Turn(action=self, group=group, time_left=time_left)
        with suppress(SharedItemsChanged):  # somebody else is at it
            turn.take(recipient)
        return turn.ended


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One worker's turn at one digest."""

    action: SendDigest
    group: StormGroup
    time_left: TimeLeft
    item: SharedItem = field(init=False)
    ended: set[DeliveryKey] = field(default_factory=set)

    def take(self, recipient: Recipient) -> None:
        now = self.action.clock()
        self.item = self.action.mails.item(self.group.digest_key)
        if _moment(self.item, "taken_until") > now:
            return
        published = {name: value for name, value in self.item.document.items() if name != "taken_until"}
        self._write(published, taken=True)
        if not published:
            mails = [*self.action.mails.held(self.group, until=now - SETTLED)]
            published = self._begun(mails)
        else:  # by somebody who came to no end
            mails = _in_digest(self.action.mails.held(self.group, until=_moment(self.item, "until")), published)
        if mails and _IS_BEGUN in published:
            published = self._published(mails, recipient, published)
        done = self._end(mails, published)
        self._write({} if done else published, taken=False)

    def _begun(self, mails: Sequence[HeldMail]) -> dict[str, Any]:
        """Write down what is to be in the digest: whoever comes next, of what is held by then, tells of no other."""
        if not mails:
            return {}
        begun: dict[str, Any] = {_IS_BEGUN: True, "until": max(mail.held_at for mail in mails).isoformat()}
        if len(mails) <= _MOST_MARKED:
            begun["marks"] = [_mark(mail) for mail in mails]
        self._write(begun, taken=True)
        return begun

    def _published(self, mails: Sequence[HeldMail], recipient: Recipient, begun: Mapping[str, Any]) -> dict[str, Any]:
        """Publish the digest, and write down that it is."""
        event = digest_event(self.group, recipient, mails)
        digest_id = chunk_of(check_event(event)).delivery_id(self.group.recipient)
        self.action.publish(event)
        published = {"digest_id": digest_id} | {name: value for name, value in begun.items() if name != _IS_BEGUN}
        self._write(published, taken=True)
        return published

    def _end(self, mails: Sequence[HeldMail], published: Mapping[str, Any]) -> bool:
        """End what is in the digest while there is time; whether that is all."""
        for part in batched(mails, _AT_ONCE, strict=False):
            if not self.time_left.may_go_on():
                return False
            digest_id = str(published["digest_id"])
            ended = self.action.mails.end(part, digest_id, while_stands=self.item)
            self.ended.update(mail.key for mail in ended)
            self.action.bus.mails_digested(ended, digest_id)
        return True

    def _write(self, published: Mapping[str, Any], *, taken: bool) -> None:
        now = self.action.clock()
        lease = timedelta(seconds=self.time_left.seconds()) + _OUTLIVES_FUNCTION_BY
        document = {**published, "taken_until": (now + lease).isoformat()} if taken else published
        item = self.item.with_document(document, forgotten_at=now + _KEPT)
        self.action.mails.put(item)
        self.item = item


def _in_digest(mails: Iterable[HeldMail], published: Mapping[str, Any]) -> list[HeldMail]:
    """Those that the digest tells of: not what the index did not show yet. Of very many it is not known, so all."""
    marks = frozenset(published.get("marks", ()))
    return [mail for mail in mails if not marks or _mark(mail) in marks]


def _mark(mail: HeldMail) -> str:
    return mail.key.chunk.notification_key[:_MARK_DIGITS]


def _moment(item: SharedItem, name: str) -> datetime:
    return datetime.fromisoformat(item.document.get(name, "1970-01-01T00:00:00+00:00"))
