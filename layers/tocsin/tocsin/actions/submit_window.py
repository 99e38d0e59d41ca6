"""Submit one window of mails: journal `submitting`, tell the relay, journal its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.judge import concerns_the_rest
from tocsin.actions.log_in import NoCredential
from tocsin.errors import TransientError
from tocsin.model.delivery import Change, Entry, State
from tocsin.model.remedy import FailureClass
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.actions.judge import Judge
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict


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

        `deadline` (monotonic seconds) ends every phase. Mails are pulled as replies are asked for, and one more may be
        pulled before the reply of the mail ahead of it is given. A caller may stop at any reply: every mail whose
        content was written has had its reply by then, and the one that was pulled and not replied to is not submitted,
        so it counts as untold. The session then ends or drops what the relay heard of it once the iterator is closed
        or let go, and is good for another call.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One delivery that is due, with its mail."""

    entry: Entry
    mail: MailObject


@dataclass(slots=True, kw_only=True)
class Window:
    """What the windows of one run share.

    `another_session` logs in with another token than the one that the relay refused; it is asked once at most, and
    raises `NoCredential`. `refused` is set where the relay refused that one as well. `may_begin` says whether there is
    time for one more mail.
    """

    account: MailAccount
    session: Session
    another_session: Callable[[], tuple[MailAccount, Session]] | None = None
    journal: Journal
    judge: Judge
    clock: Callable[[], datetime]
    may_begin: Callable[[], bool]
    deadline: float
    refused: tuple[Reply, Verdict] | None = None

    def submit(self, items: Sequence[Item], *, last: bool) -> list[Change]:
        """Submit the items; what became of each that was this worker's to submit."""
        begun = self._begin(items)
        answers, stop = self._tell(begun)
        answers += [self._untried(item, stop) for item in begun[len(answers) :]]
        conflicts = self.journal.write(answers, last=last)
        return [answer for answer in answers if answer.before.recipient not in conflicts]

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

    def _tell(self, items: Sequence[Item]) -> tuple[list[Change], _Stop | None]:
        answers: list[Change] = []
        throttles = 0
        replies = self.session.submit(self._while_there_is_time(items), deadline=self.deadline)
        for item, reply in zip(items, replies, strict=False):
            if self.another_session is not None and _asks_for_another_token(reply):
                return self._tell_again(items[len(answers) :], answers)
            change = self.judge.change(item.entry, reply, account=self.account, now=self.clock())
            answers.append(change)
            if concerns_the_rest(change.verdict, reply, earlier_throttles=throttles):
                self._note_refusal(reply, change.verdict)
                return answers, _Stop(reply=reply, verdict=change.verdict)
            throttles += change.verdict is not None and change.verdict.failure_class is FailureClass.THROTTLED
        return answers, None

    def _tell_again(self, items: Sequence[Item], answers: list[Change]) -> tuple[list[Change], _Stop | None]:
        """Go on behind `answers` with another token, or stop where there is none."""
        another, self.another_session = self.another_session, None
        try:
            if another is not None:
                self.account, self.session = another()
        except NoCredential as missing:
            return answers, _Stop(reply=missing.reply, verdict=missing.verdict)
        except TransientError:  # what was accepted must be journaled, whatever happens here
            return answers, _Stop(reply=_NOT_NOW, verdict=None)
        further, stop = self._tell(items)
        return [*answers, *further], stop

    def _note_refusal(self, reply: Reply, verdict: Verdict | None) -> None:
        """Note that a token that was renewed for this relay is refused for good."""
        renewed = self.account.auth.oauth2 is not None and self.another_session is None
        if renewed and reply.phase is Phase.AUTH and verdict is not None and _names_the_credential(reply):
            final = verdict.failure_class in {FailureClass.AUTH_PERMANENT, FailureClass.CONFIG}
            self.refused = (reply, verdict) if final else None

    def _while_there_is_time(self, items: Sequence[Item]) -> Iterator[MailObject]:
        for item in items:
            if not self.may_begin():
                return
            yield item.mail

    def _untried(self, item: Item, stop: _Stop | None) -> Change:
        now = self.clock()
        if stop is None:
            return Change(
                before=item.entry,
                state=State.DEFERRED,
                attempt=item.entry.attempt - 1,
                mail_account_id=self.account.id,
                reply=_OUT_OF_TIME,
                retry_at=now,
            )
        lost = stop.reply.phase is Phase.AFTER_DATA
        return self.judge.change(
            item.entry,
            _LOST if lost else stop.reply,
            account=self.account,
            now=now,
            told=False,
            verdict=None if lost else stop.verdict,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Why the rest of a window is not tried."""

    reply: Reply
    verdict: Verdict | None


def _asks_for_another_token(reply: Reply) -> bool:
    """Whether the relay refused the login in a way that a new token may mend; 454 is its own trouble."""
    if reply.phase is not Phase.AUTH or reply.code is None or reply.code // 100 != _PERMANENT:
        return False
    return reply.challenge is not None or reply.code == _REFUSED


def _names_the_credential(reply: Reply) -> bool:
    """Whether the refusal is about this credential: by a challenge, or by a status that says so."""
    return reply.challenge is not None or reply.enhanced in _CREDENTIAL_STATUSES


_PERMANENT = 5
_REFUSED = 535
_CREDENTIAL_STATUSES = frozenset({"5.7.3", "5.7.8", "5.7.9", "5.7.139"})
_NOT_NOW = Reply(phase=Phase.CONNECT, code=None, text="timed out")
_LOST = Reply(phase=Phase.CONNECT, code=None, text="connection closed")
_OUT_OF_TIME = Reply(phase=Phase.SETTINGS, code=None, text="out_of_time")
