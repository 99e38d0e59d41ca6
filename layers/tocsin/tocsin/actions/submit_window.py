"""Submit one window of mails: journal `submitting`, tell the relay, journal its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.judge import concerns_the_rest
from tocsin.model.delivery import Change, Entry, State
from tocsin.model.remedy import FailureClass
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.actions.judge import Judge
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount


class Journal(Protocol):
    """The journal of one chunk, as seen by the one worker that owns it."""

    def write(self, changes: Sequence[Change], *, last: bool) -> Mapping[str, Entry]:
        """Write the changes, all or those that may be; `last` gives the chunk back in the same write.

        Returns what stands there instead, for each recipient whose change was not written.

        Raises:
            ChunkOwned: another worker owns the chunk; nothing was written.
        """
        ...


class Session(Protocol):
    """A session with a relay."""

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Iterator[Reply]:
        """Submit the mails; one reply for each, in order. Whatever the network does is a reply too.

        `deadline` (monotonic seconds) ends every phase.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One delivery that is due, with its mail."""

    entry: Entry
    mail: MailObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What the windows of one run share. `may_begin` says whether there is time for one more mail."""

    account: MailAccount
    session: Session
    journal: Journal
    judge: Judge
    clock: Callable[[], datetime]
    may_begin: Callable[[], bool]
    deadline: float

    def submit(self, items: Sequence[Item], *, last: bool) -> list[Change]:
        """Submit the items; what became of each that was this worker's to submit."""
        begun = self._begin(items)
        answers, stopped_by = self._tell(begun)
        answers += [self._untried(item, stopped_by) for item in begun[len(answers) :]]
        self.journal.write(answers, last=last)
        return answers

    def _begin(self, items: Sequence[Item]) -> list[Item]:
        changes = [
            Change(
                before=item.entry,
                state=State.SUBMITTING,
                attempt=item.entry.attempt + 1,
                mail_account_id=self.account.id,
            )
            for item in items
        ]
        conflicts = self.journal.write(changes, last=False)
        return [
            Item(entry=change.after, mail=item.mail)
            for item, change in zip(items, changes, strict=True)
            if item.entry.recipient not in conflicts
        ]

    def _tell(self, items: Sequence[Item]) -> tuple[list[Change], Reply | None]:
        answers: list[Change] = []
        throttles = 0
        replies = self.session.submit(self._while_there_is_time(items), deadline=self.deadline)
        for item, reply in zip(items, replies, strict=False):
            change = self.judge.change(item.entry, reply, account=self.account, now=self.clock())
            answers.append(change)
            if concerns_the_rest(change.verdict, reply, earlier_throttles=throttles):
                return answers, reply
            throttles += change.verdict is not None and change.verdict.failure_class is FailureClass.THROTTLED
        return answers, None

    def _while_there_is_time(self, items: Sequence[Item]) -> Iterator[MailObject]:
        for item in items:
            if not self.may_begin():
                return
            yield item.mail

    def _untried(self, item: Item, stopped_by: Reply | None) -> Change:
        now = self.clock()
        if stopped_by is not None:
            reply = _LOST if stopped_by.phase is Phase.AFTER_DATA else stopped_by
            return self.judge.change(item.entry, reply, account=self.account, now=now, told=False)
        return Change(
            before=item.entry,
            state=State.DEFERRED,
            attempt=item.entry.attempt - 1,
            mail_account_id=self.account.id,
            reply=_OUT_OF_TIME,
            retry_at=now,
        )


_LOST = Reply(phase=Phase.CONNECT, code=None, text="connection closed")
_OUT_OF_TIME = Reply(phase=Phase.SETTINGS, code=None, text="out_of_time")
