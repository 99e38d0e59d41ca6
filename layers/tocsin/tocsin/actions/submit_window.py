"""Submit one window of mails: journal `submitting`, tell the relay, journal its answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tocsin.actions.judge import concerns_the_rest
from tocsin.actions.log_in import NoCredential
from tocsin.errors import ChunkOwned, ConnectionsInUse, TransientError
from tocsin.model.breaker import names_the_credential
from tocsin.model.delivery import Change, Entry, State
from tocsin.model.remedy import FailureClass
from tocsin.model.reply import Phase, Reply
from tocsin.model.shared_item import SharedItemsChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from tocsin.actions.gate import Gate, News
    from tocsin.actions.judge import Judge
    from tocsin.actions.window_ports import Counts, Journal, Session
    from tocsin.model.credential import Credential
    from tocsin.model.delivery import Fallback
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.shared_item import SharedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One delivery that is due, with its mail."""

    entry: Entry
    mail: MailObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What a window did: the changes that are written, the items that found no room, and what to tell of the account.

    `passed_on` are changes too, of deliveries that are the next account's at once. `failure` is the account's, if it
    has one; `stop` is what is to be said of all that was not tried because of it. `trouble` is an error that nobody
    knows what to do about: what is not among the changes then stays `submitting`, as after a crash.
    """

    changes: list[Change]
    left: list[Item]
    passed_on: Sequence[Change] = ()
    news: AbstractSet[News] = frozenset()
    failure: tuple[Reply, Verdict] | None = None
    stop: tuple[Reply, Verdict | None] | None = None
    trouble: Exception | None = None


@dataclass(slots=True, kw_only=True)
class Window:
    """What the windows of one run share.

    `another_credential` finds another token than the one with which the relay refused the account, and raises
    `NoCredential`. It is not asked again before that one has worked (`is_retrying`); `refused` is set where the relay
    refused that one as well. `may_begin` says whether there is time
    for one more mail, `slot_ends_at` when this function is surely over. There is another account, if there is a time
    `next_account_from`: then what this one's trouble would defer is due for that, and what it would park is at once, as
    it is where `others_come_back`, who are waited for.
    `also_claimed` gives what else is to be written before something is submitted. `heard` are the answers to this
    window's mails so far.
    """

    account: MailAccount
    session: Session
    gate: Gate
    counts: Counts
    another_credential: Callable[[MailAccount], tuple[MailAccount, Credential]] | None = None
    journal: Journal
    judge: Judge
    clock: Callable[[], datetime]
    may_begin: Callable[[], bool]
    slot_ends_at: Callable[[], datetime]
    deadline: float
    is_retrying: bool = False
    refused: tuple[Reply, Verdict] | None = None
    instead_of: Fallback | None = None
    next_account_from: datetime | None = None
    others_come_back: bool = False
    also_claimed: Callable[[], Sequence[SharedItem]] = tuple
    heard: list[Change] = field(default_factory=list)

    def submit(self, items: Sequence[Item], *, last: bool) -> Submitted:
        """Submit as many of the items as the account's limits allow.

        Raises:
            ConnectionsInUse: there is no slot for the session, or others are too quick; nothing was written.
        """
        begun, left = self._begin(items)
        told, stop, trouble = self._tell_all(begun)
        untold = begun[len(told) :] if trouble is None else []
        answers = [*told, *(self._untried(item, stop) for item in untold)]
        answers = [self._journaled(answer, stop) for answer in answers]
        passed_on = {answer.before.recipient for answer in answers if self._is_passed_on(answer, stop)}
        failure = (stop.reply, stop.verdict) if stop is not None and stop.verdict is not None else None
        used = [answer for answer in answers[: len(told)] if _was_heard(answer)]
        conflicts, news = self._settle(
            answers,
            used,
            claimed=len(items) - len(left) if trouble is None else 0,  # what the relay heard of the rest is not known
            failure=failure,
            last=last and not left and not passed_on and trouble is None,
        )
        written = [answer for answer in answers if answer.before.recipient not in conflicts]
        return Submitted(
            changes=[answer for answer in written if answer.before.recipient not in passed_on],
            left=left,
            passed_on=[answer for answer in written if answer.before.recipient in passed_on],
            news=news,
            failure=failure,
            stop=stop.for_the_rest if stop is not None else None,
            trouble=trouble,
        )

    def _begin(self, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
        """Journal and claim what is about to be submitted; those items, and those without room."""
        self.counts.count_ahead([item.entry for item in items])
        left = items
        try:
            begun, left = self._journaled_and_claimed(items)
        finally:
            self.counts.take_back([item.entry for item in left])
        return begun, left

    def _journaled_and_claimed(self, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
        for _ in range(_ROUNDS):
            may_go, held = self._parted(items)
            room = self.gate.room(self.account, len(may_go))
            entries = [item.entry for item in may_go[:room]]
            changes = [self._begun(entry) for entry in entries]
            claim, counts = self._claim(room) if room else [], self.counts.claim(entries)
            try:
                conflicts = self.journal.write(changes, last=False, beside=[*claim, *counts])
            except SharedItemsChanged as changed:
                self.gate.lose(changed.items)
                self.session.learn(changed.items)
                self.counts.learn(changed.items)
                continue
            self._learn(claim)
            self.counts.submitting(entries, counts)
            begun = [
                Item(entry=change.after, mail=item.mail)
                for item, change in zip(may_go[:room], changes, strict=True)
                if change.before.recipient not in conflicts
            ]
            return begun, [*may_go[room:], *held]
        raise ConnectionsInUse("other workers of the account are too quick")

    def _parted(self, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
        """Those that may go, and those whose recipients were mailed enough by now."""
        held = [item for item in items if self.counts.holds(item.entry)]
        return [item for item in items if not self.counts.holds(item.entry)], held

    def _claim(self, mails: int) -> list[SharedItem]:
        logs_in = self.account.auth.type != "none" and not self.session.is_open
        return [
            *self.gate.claim(self.account, mails, logs_in=logs_in),
            *self.also_claimed(),
            self.session.held_until(self.slot_ends_at()),
        ]

    def _begun(self, entry: Entry) -> Change:
        return Change(
            before=entry,
            state=State.SUBMITTING,
            attempt=entry.attempt + 1,
            mail_account_id=self.account.id,
        )

    def _settle(
        self,
        answers: Sequence[Change],
        used: Sequence[Change],
        *,
        claimed: int,
        failure: tuple[Reply, Verdict] | None,
        last: bool,
    ) -> tuple[Mapping[str, Entry], AbstractSet[News]]:
        """Journal the answers, and with them what they mean for the account, unless others are too quick.

        Raises:
            TransientError: the answers are not journaled.
        """
        kept = self.session.kept_open() if last else None
        for _ in range(_ROUNDS):
            settled, news = self.gate.settle(
                self.account, claimed=claimed, used=len(used), worked=_works(used), failure=failure
            )
            beside = [*settled, kept] if kept is not None else settled
            try:
                conflicts = self.journal.write(answers, last=last, beside=beside)
            except SharedItemsChanged as changed:
                self.gate.learn(changed.items)
                kept = None  # if it was the slot, it is another's; else it ends with this function
                continue
            except ChunkOwned:
                raise
            except TransientError:  # the crowd around what is shared must not cost the answers
                break
            self._learn(beside)
            return conflicts, news
        return self.journal.write(answers, last=last), frozenset()

    def _learn(self, items: Sequence[SharedItem]) -> None:
        self.gate.learn(items)
        self.session.learn(items)

    def _tell_all(self, items: Sequence[Item]) -> tuple[list[Change], _Stop | None, Exception | None]:
        self.heard = []
        try:
            return *self._tell(items), None
        except Exception as trouble:  # noqa: BLE001  (what was accepted is journaled before anybody hears of it)
            return self.heard, None, trouble

    def _tell(self, items: Sequence[Item]) -> tuple[list[Change], _Stop | None]:
        answers: list[Change] = []
        throttles = 0
        replies = self.session.submit(self._while_there_is_time(items), deadline=self.deadline)
        for item, reply in zip(items, replies, strict=False):
            if self.another_credential is not None and not self.is_retrying and _asks_for_another_token(reply):
                return self._tell_again(items[len(answers) :], answers, self.another_credential)
            self.is_retrying = self.is_retrying and reply.phase.concerns_session
            change = self.judge.change(item.entry, reply, account=self.account, now=self.clock())
            answers.append(change)
            self.heard.append(change)
            if concerns_the_rest(change.verdict, reply, earlier_throttles=throttles):
                self._note_refusal(reply, change.verdict)
                return answers, _Stop(reply=reply, verdict=change.verdict)
            throttles += change.verdict is not None and change.verdict.failure_class is FailureClass.THROTTLED
        return answers, None

    def _tell_again(
        self,
        items: Sequence[Item],
        answers: list[Change],
        another_credential: Callable[[MailAccount], tuple[MailAccount, Credential]],
    ) -> tuple[list[Change], _Stop | None]:
        """Go on behind `answers` with another token, or stop where there is none."""
        try:
            self.account, credential = another_credential(self.account)
            self.session.renew(self.account, credential)
        except NoCredential as missing:
            return answers, _Stop(reply=missing.reply, verdict=missing.verdict)
        except TransientError:  # what was accepted must be journaled, whatever happens here
            return answers, _Stop(reply=_NOT_NOW, verdict=None)
        self.is_retrying = True
        further, stop = self._tell(items)
        return [*answers, *further], stop

    def _note_refusal(self, reply: Reply, verdict: Verdict | None) -> None:
        """Note that a token that was obtained for this very login is refused for good."""
        if self.is_retrying and reply.phase is Phase.AUTH and verdict is not None and names_the_credential(reply):
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
        reply, verdict = stop.for_the_rest
        return self.judge.change(item.entry, reply, account=self.account, now=now, told=False, verdict=verdict)

    def _journaled(self, answer: Change, stop: _Stop | None) -> Change:
        """The answer as it is journaled: nothing waits for an admin, or too long, while there is another account."""
        if stop is not None and answer.state is State.PARKED and self._has_others:
            answer = replace(answer, state=State.DEFERRED, retry_at=self.clock())
        elif stop is not None and answer.state is State.DEFERRED and not _waits_for_recipient(answer):
            answer = replace(answer, retry_at=self._next_try(answer.retry_at))
        return replace(answer, instead_of=self.instead_of)

    def _next_try(self, retry_at: datetime | None) -> datetime | None:
        if retry_at is None or self.next_account_from is None:
            return retry_at
        return min(retry_at, max(self.next_account_from, self.clock()))

    @property
    def _has_others(self) -> bool:
        """Whether another account carries what this one cannot, at once or later."""
        return self.next_account_from is not None or self.others_come_back

    def _is_passed_on(self, answer: Change, stop: _Stop | None) -> bool:
        """Whether the delivery is another account's at once."""
        if not self._has_others or stop is None or answer.retry_at is None:
            return False
        return answer.state is State.DEFERRED and answer.retry_at <= self.clock()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Why the rest of a window is not tried."""

    reply: Reply
    verdict: Verdict | None

    @property
    def for_the_rest(self) -> tuple[Reply, Verdict | None]:
        """What is said of mails that were not tried; a lost answer was the answer to another mail."""
        return (_LOST, None) if self.reply.phase is Phase.AFTER_DATA else (self.reply, self.verdict)


def _asks_for_another_token(reply: Reply) -> bool:
    """Whether the relay refused the login in a way that a new token may mend; 454 is its own trouble."""
    if reply.phase is not Phase.AUTH or reply.code is None or reply.code // 100 != _PERMANENT:
        return False
    return reply.challenge is not None or reply.code == _REFUSED


def _was_heard(answer: Change) -> bool:
    """Whether the relay came to hear of the mail, so that it counts against a limit."""
    return answer.reply is not None and not answer.reply.phase.concerns_session


def _works(heard: Sequence[Change]) -> bool:
    """Whether the relay took mails, or did not for their own sake, or for that of their recipients."""
    return any(answer.state in {State.ACCEPTED, State.REFUSED} or _waits_for_recipient(answer) for answer in heard)


def _waits_for_recipient(answer: Change) -> bool:
    return answer.verdict is not None and answer.verdict.failure_class is FailureClass.RECIPIENT_TRANSIENT


_ROUNDS = 5
_PERMANENT = 5
_REFUSED = 535
_NOT_NOW = Reply(phase=Phase.CONNECT, code=None, text="timed out")
_LOST = Reply(phase=Phase.CONNECT, code=None, text="connection closed")
_OUT_OF_TIME = Reply(phase=Phase.SETTINGS, code=None, text="out_of_time")
