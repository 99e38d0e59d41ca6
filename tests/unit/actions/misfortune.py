"""A project to which everything may happen: too little time, no connection, busy stores, rivals, relays that fail.

A seed decides what does. All is in memory, so that thousands of lives of a notification are lived in a minute.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tocsin.actions.delivery_run import TimeLeft
from tocsin.errors import ConnectionsInUse, ServiceBusy, TooLate, TransientError
from tocsin.model.delivery import State
from tocsin.model.rate import Rate
from tocsin.model.reply import Phase, Reply
from tocsin.model.shared_item import SharedItemsChanged

from tests.unit.actions.fakes import ACCEPTED, FakeSession
from tests.unit.actions.storm_world import MemoryJournal, StormWorld

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from tocsin.actions.receive import Receive
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import AccountSecret, Credential
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.shared_item import SharedItem

SECONDS = 60.0
AT_ONCE, HIDDEN = timedelta(seconds=1), timedelta(seconds=360)
"""When a message shows again: given back, and left to the queue's visibility timeout."""
RECEIVES = 5_000  # more than any notification of the tests takes
_OFTEN, _SELDOM = 0.15, 0.05
_ANSWERS: dict[Reply | None, int] = {
    ACCEPTED: 55,
    Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="5.7.8 bad credentials"): 3,
    Reply(phase=Phase.MAIL, code=553, enhanced="5.7.1", text="5.7.1 not your address"): 3,
    Reply(phase=Phase.CONNECT, code=None, text="timed out"): 10,
    Reply(phase=Phase.RCPT, code=450, text="not now"): 10,
    Reply(phase=Phase.RCPT, code=550, enhanced="5.1.1", text="5.1.1 no such user"): 5,
    Reply(phase=Phase.DATA, code=451, text="try again later"): 5,
}
_ENDS_OF_CONNECTIONS: dict[Reply | None, int] = {
    Reply(phase=Phase.AFTER_DATA, code=None, text="connection closed"): 5,
    None: 5,
}


class Died(Exception):
    """The end of a worker in the middle of its work."""


@dataclass(slots=True, kw_only=True)
class _Relay(FakeSession):
    """A relay that answers as it happens."""

    world: Misfortune

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Iterator[Reply]:
        """An answer for each, or the death of the worker."""
        del deadline
        for mail in mails:
            self.world.pass_time()
            reply = self.world.answer()
            if reply is None:
                raise Died
            self.world.mails[mail.envelope.rcpt_to] += reply.accepted
            yield reply


@dataclass(slots=True, kw_only=True)
class _Journal(MemoryJournal):
    """The journal of a chunk, which is sometimes too busy and never written to by whoever gave it back."""

    world: Misfortune
    is_given_back: bool = False

    def write(self, changes: Sequence[Change], *, last: bool, beside: Sequence[SharedItem] = ()) -> Mapping[str, Entry]:
        """Write, unless a rival was quicker or the table is busy, of which nobody knows whether it wrote."""
        assert not (self.is_given_back and (changes or beside))
        if not (self.is_stored or changes or beside):
            return {}  # nothing is there that could be given back
        if beside and self.world.happens(_OFTEN):
            self.world.lose_race(beside)
        self.world.be_busy()
        conflicts = MemoryJournal.write(self, changes, last=last, beside=beside)
        self.world.be_busy()
        self.is_given_back = last
        return conflicts


@dataclass(slots=True, kw_only=True)
class Misfortune(StormWorld):
    """The project. Where it `is_mild`, no worker dies and no answer is lost, so nobody may get a mail twice.

    `mails` are those that the relay took, by recipient.
    """

    random: Random
    is_mild: bool
    seconds: float = SECONDS
    receives: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Have the relay answer as it happens."""
        self.relay = _Relay(world=self)

    # --- What happens ---

    def happens(self, chance: float) -> bool:
        """Whether something does."""
        return self.random.random() < chance

    def pass_time(self) -> None:
        """Let a call take long, now and then."""
        if self.happens(2 * _OFTEN):
            self.seconds -= self.random.choice([5, 15, 25])

    def be_busy(self) -> None:
        """Be a service that does not answer, now and then."""
        if not self.is_mild and self.happens(_SELDOM):
            raise ServiceBusy("throttled")

    def answer(self) -> Reply | None:
        """What the relay says; None: the worker hears nothing any more."""
        answers = _ANSWERS if self.is_mild else _ANSWERS | _ENDS_OF_CONNECTIONS
        return self.random.choices([*answers], [*answers.values()])[0]

    def lose_race(self, beside: Iterable[SharedItem]) -> None:
        """Have another worker write these items first; of limits, it uses all that is left half of the time.

        Raises:
            SharedItemsChanged: always, unless they are slots.
        """
        standing = [self.item(item.key) for item in beside if not item.key.startswith("slot#")]
        written = [replace(item, version=item.version + 1, document=self._of_rival(item)) for item in standing]
        self.shared.update((item.key, item) for item in written)
        if written:
            raise SharedItemsChanged(written)

    def _of_rival(self, item: SharedItem) -> Mapping[str, Any]:
        if not item.key.startswith("rate#") or self.happens(0.5):
            return item.document
        assert self.settings_now is not None
        limits = self.settings_now.mail_accounts[item.key.split("#")[2]].limits
        return Rate.of({}, limits, self.now).submitted(30, self.now).document()

    # --- The queue ---

    def bring(self, receive: Receive, body: str, *, is_pointer: bool) -> None:
        """Receive a message, which comes again where it was not acknowledged."""
        self.receives[body] += 1
        assert self.receives.total() < RECEIVES
        self.seconds = SECONDS
        time_left = TimeLeft(seconds=lambda: self.seconds, monotonic=lambda: 0.0, function_timeout=SECONDS)
        notification = partial(receive.notification, seen_before=self.receives[body] > 1)
        try:
            answer = (receive.chunk if is_pointer else notification)(body, time_left=time_left)
        except TooLate:
            self._queue(body, self.now + AT_ONCE, is_pointer=is_pointer)
        except (TransientError, Died):
            self._queue(body, self.now + HIDDEN, is_pointer=is_pointer)
        else:
            assert answer.rejected is None, answer.rejected

    # --- The ports ---

    def begin(
        self, chunk: Chunk, event: dict[str, Any], notification: Notification, *, received_at: datetime
    ) -> _Journal:
        """The journal of a chunk that is taken to be new."""
        del notification
        return _Journal(world=self, chunk=chunk, event=event, received_at=received_at)

    def resume(self, chunk: Chunk) -> _Journal | None:
        """The chunk as it is stored, to a worker that has read it anew."""
        old = self.chunks.get(chunk)
        if old is None:
            return None
        return _Journal(
            world=self,
            chunk=chunk,
            event=old.event,
            received_at=old.received_at,
            is_stored=True,
            entries=dict(old.entries),
        )

    def look_up(self, *asked: Any, **others: Any) -> Any:  # noqa: ANN401  (the port's own)
        """What stands, unless the table is too busy."""
        self.pass_time()
        if self.happens(_SELDOM):
            raise TransientError("throttled")
        return StormWorld.look_up(self, *asked, **others)

    def secret(self, account: MailAccount) -> AccountSecret:
        """The password, unless Secrets Manager is too busy."""
        self.pass_time()
        if self.happens(_SELDOM):
            raise TransientError("throttled")
        return StormWorld.secret(self, account)

    @contextmanager
    def lease(self, account: MailAccount, credential: Credential | None, **others: Any) -> Iterator[FakeSession]:  # noqa: ANN401  (the port's own)
        """The session, unless it is too late for one or others have all connections."""
        del account, credential, others
        self.pass_time()
        if self.happens(_OFTEN):
            raise TooLate("no time for a session")
        if self.happens(_OFTEN):
            raise ConnectionsInUse("all are")
        yield self.relay

    def tell(self, *news: Any) -> None:  # noqa: ANN401  (the port's own)
        """Nobody listens."""

    def deliveries_failed(self, *failed: Any, **others: Any) -> None:  # noqa: ANN401  (the port's own)
        """Nobody sums them up."""

    # --- What became of it ---

    def accepted(self) -> Counter[str]:
        """How many mails each recipient has, as the journal tells it."""
        return Counter(one.recipient for one in self.entries() if one.state is State.ACCEPTED)

    def entries(self) -> Iterator[Entry]:
        """All deliveries."""
        for journal in self.chunks.values():
            yield from journal.entries.values()

    def unfinished(self) -> list[Entry]:
        """Those of which something is still to become, though no message leads to them any more."""
        going_on = {State.QUEUED, State.DEFERRED, State.SUBMITTING}
        return [one for one in self.entries() if one.state in going_on or one.retry_at is not None]
