"""Hold back, in a storm, mails to people who had enough of them: counts that workers share, and what they allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tocsin.errors import TransientError
from tocsin.model.delivery import Change, Entry, Hold, State
from tocsin.model.reply import Phase, Reply
from tocsin.model.shared_item import SharedItem, SharedItemsChanged
from tocsin.model.storm import HELD_FOR_DIGEST, KIND, StormCount, StormGroup, may_be_held, thread_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.model.notification import Notification
    from tocsin.model.remedy import Verdict
    from tocsin.model.storm import StormControl

_WRITTEN_TOGETHER = 20
"""How many counts are written with the deliveries; more of them are written ahead, in a call of their own."""

_ROUNDS = 8

_UNTRIED = frozenset({State.QUEUED, State.DEFERRED})
HELD = Reply(phase=Phase.SETTINGS, code=None, text=HELD_FOR_DIGEST)


@dataclass(slots=True, kw_only=True)
class Storm:
    """What the recipients of one notification were mailed lately. `control` None: its mails are never held.

    A mail is counted when it is first submitted. `write_ahead` writes counts, all or none.
    """

    notification: Notification
    control: StormControl | None
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    write_ahead: Callable[[Sequence[SharedItem]], None]
    _thread: str = ""
    _items: dict[str, SharedItem] = field(default_factory=dict)
    _counted: set[str] = field(default_factory=set)
    _ahead: Sequence[Entry] = ()

    def __post_init__(self) -> None:
        """Find out whether the notification is one that may be held."""
        if self.control is not None and not (self.control.enabled and may_be_held(self.notification)):
            self.control = None
        if self.control is not None:
            self._thread = thread_of(self.notification)

    def keys(self, recipients: Iterable[str]) -> Iterator[str]:
        """The keys of what must be known of them."""
        if self.control is not None:
            yield from (self.group(recipient).counter_key for recipient in recipients)

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of counts as they stand now."""
        self._items.update((item.key, item) for item in items if item.key.startswith(KIND))

    def group(self, recipient: str) -> StormGroup:
        """What is counted together with the mail to this recipient."""
        return StormGroup.of(self.notification, recipient)

    def holds(self, entry: Entry) -> bool:
        """Whether the delivery must wait for a digest. None does that was begun, counted, or re-driven by an admin."""
        if self.control is None or not self._is_new(entry):
            return False
        return self._count(self._item(entry), self.control).is_full(self._thread, self.control)

    def held(self, entries: Iterable[Entry], verdict: Callable[[Reply], Verdict | None]) -> list[Change]:
        """The changes of those that must wait."""
        held = [entry for entry in entries if self.holds(entry)]
        if self.control is None or not held:
            return []
        from tocsin.model.digest import line_of  # noqa: PLC0415  (most mails meet no storm)

        line, said = line_of(self.notification), verdict(HELD)
        return [self._held(entry, self.control, line, said) for entry in held]

    def count_ahead(self, entries: Sequence[Entry]) -> None:
        """Count those that may go, if they are too many for one write with their deliveries.

        Where others are too quick, some are not counted: a mail more does less harm than a mail too late.
        """
        self._ahead = ()
        if len(entries) > _WRITTEN_TOGETHER:
            self._ahead = self._written_ahead(
                lambda: [entry for entry in entries if self._is_new(entry) and not self.holds(entry)], mails=1
            )
            self._counted.update(entry.recipient for entry in self._ahead)

    def take_back(self, entries: Iterable[Entry]) -> None:
        """Count these no more if they were counted ahead last, since they do not begin.

        Where that cannot be written, they stay counted.
        """
        waiting = {entry.recipient for entry in entries}
        ahead = [entry for entry in self._ahead if entry.recipient in waiting]
        self._ahead = ()
        taken_back = self._written_ahead(lambda: ahead, mails=-1)
        self._counted.difference_update(entry.recipient for entry in taken_back)

    def _written_ahead(self, chosen: Callable[[], Sequence[Entry]], *, mails: int) -> Sequence[Entry]:
        """Count `mails` more for each that is `chosen`, anew where others were quicker; those that are counted."""
        for _ in range(_ROUNDS):
            entries = chosen()
            counts = self._counting(entries, mails=mails)
            if not counts:
                break
            try:
                self.write_ahead(counts)
            except SharedItemsChanged as changed:
                self.learn(changed.items)
            except TransientError:
                break
            else:
                self.learn(counts)
                return entries
        return ()

    def claim(self, entries: Sequence[Entry]) -> list[SharedItem]:
        """What must be written before these are submitted: that each recipient is mailed once more."""
        if len(entries) > _WRITTEN_TOGETHER:
            return []
        return self._counting([entry for entry in entries if self._is_new(entry)])

    def submitting(self, entries: Iterable[Entry], counts: Iterable[SharedItem]) -> None:
        """Take note that these are counted: that is written."""
        self._counted.update(entry.recipient for entry in entries)
        self.learn(counts)

    def _counting(self, entries: Iterable[Entry], *, mails: int = 1) -> list[SharedItem]:
        return [] if self.control is None else [self._counted_once(e, self.control, mails=mails) for e in entries]

    def _counted_once(self, entry: Entry, control: StormControl, *, mails: int) -> SharedItem:
        item = self._item(entry)
        count = self._count(item, control).counting(self._thread, mails)
        return item.with_document(count.document(), forgotten_at=count.forgotten_at(control))

    def _held(self, entry: Entry, control: StormControl, line: Mapping[str, Any], verdict: Verdict | None) -> Change:
        return Change(
            before=entry,
            state=State.DEFERRED,
            attempt=entry.attempt,
            reply=HELD,
            verdict=verdict,
            retry_at=self._count(self._item(entry), control).digest_at(control, jitter=self.jitter()),
            hold=Hold(group=self.group(entry.recipient).name, line=line),
        )

    def _is_new(self, entry: Entry) -> bool:
        is_untried = entry.state in _UNTRIED and entry.attempt == 0 and entry.revived_at is None
        return is_untried and not entry.was_begun and entry.recipient not in self._counted

    def _item(self, entry: Entry) -> SharedItem:
        key = self.group(entry.recipient).counter_key
        return self._items.get(key, SharedItem(key=key))

    def _count(self, item: SharedItem, control: StormControl) -> StormCount:
        return StormCount.of(item.document, control, self.clock())
