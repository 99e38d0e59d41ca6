"""Sessions with relays, kept from record to record and invocation to invocation, each within a slot of its account.

Slots are leased in EphemeralTable, so that all processes together keep to an account's `connections`. A session is
never shared between projects, accounts, versions of an account, or credentials. One of an account's slots is never
bulk's, nor kept by a session that is not in use.
"""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition
from typing import TYPE_CHECKING

from tocsin.errors import ConnectionsInUse, TooLate
from tocsin.model import slot
from tocsin.model.shared_item import SharedItem

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from datetime import datetime

    from tocsin.adapters.shared_items import SharedItems
    from tocsin.adapters.submission import Submission
    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.reply import Reply

    Open = Callable[[MailAccount, Credential | None], Submission]
    Key = tuple[str, str, int, str | None]

_KEPT_AT_MOST = 100  # a function may have 1,024 files open
_WORTH_A_CALL = timedelta(seconds=5)  # a slot that ends sooner is not given back: so does the function's time


@dataclass(slots=True, kw_only=True, eq=False)
class _Kept:
    """A session of this process, in use or not. `item` is its slot as this process last saw it."""

    account: MailAccount
    credential_key: Key
    submission: Submission
    number: int
    item: SharedItem
    is_in_use: bool = True
    leaves_one: bool = False

    @property
    def account_key(self) -> tuple[str, str]:
        return self.account.project_id, self.account.id


class Sessions:
    """Lends each account's sessions, as many at once as the account allows.

    `holder` names this process. `connections` says how many an account allows.
    """

    def __init__(
        self,
        open_session: Open,
        slots: SharedItems,
        *,
        holder: str,
        connections: Callable[[MailAccount], int],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._open = open_session
        self._slots = slots
        self.holder = holder
        self.connections = connections
        self.clock = clock
        self._monotonic = monotonic
        self._kept: list[_Kept] = []
        self._known: dict[str, SharedItem] = {}
        self._waiting: list[tuple[str, str]] = []
        self._changed = Condition()

    @contextmanager
    def lease(
        self,
        account: MailAccount,
        credential: Credential | None,
        *,
        known: Iterable[SharedItem],
        deadline: float,
        leaves_one: bool,
    ) -> Iterator[LeasedSession]:
        """A session of the account, for this caller alone until the block ends; `known` are slots as just read.

        `leaves_one`: of several slots, one is left to callers who do not, and they come first.

        Raises:
            TooLate: this process has the account's sessions all in use, and had until `deadline` (monotonic seconds).
            ConnectionsInUse: other processes have them.
            TransientError: slots beyond the known ones cannot be read now.
        """
        self.learn(known)
        self._look_further(account, leaves_one=leaves_one)
        kept = self._take(account, credential, deadline, leaves_one=leaves_one)
        try:
            yield LeasedSession(self, kept)
        finally:
            with self._changed:
                kept.is_in_use = False
                if not slot.lives(kept.item, self.clock()):
                    kept.submission.drop()
                    self._kept.remove(kept)
                elif not kept.submission.is_open:
                    kept.submission.drop()  # the reply to a failed login is not the next caller's
                self._changed.notify_all()

    def close(self) -> None:
        """End what must not outlive the invocation: few connections, closed ones, those whose slot is over."""
        with self._changed:
            ending = self._ending(self.clock())
            self._known.clear()  # other processes go on while this one may be frozen
            for kept in ending:
                kept.is_in_use = True  # its number is free once the slot is given back
        if not ending:
            return
        try:
            with ThreadPoolExecutor(max_workers=len(ending)) as closing:  # one that hangs holds up no other
                list(closing.map(lambda kept: kept.submission.close(), ending))
            self._give_back(ending)
        finally:
            with self._changed:
                self._kept = [kept for kept in self._kept if kept not in ending]
                self._changed.notify_all()

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of slots as they stand."""
        with self._changed:
            self._known.update((item.key, item) for item in items if item.key.startswith(slot.KIND))

    def renew(self, kept: _Kept, account: MailAccount, credential: Credential | None) -> None:
        """Go on in the same slot with another credential."""
        kept.submission.close()
        with self._changed:
            kept.account, kept.credential_key = account, _key(account)
            kept.submission = self._open(account, credential)

    def move(self, kept: _Kept) -> None:
        """Leave a slot that another process has taken, for a free one.

        Raises:
            ConnectionsInUse: there is none.
        """
        kept.submission.drop()
        with self._changed:
            number = self._free_number(kept.account, leaves_one=kept.leaves_one)
            if number is None:
                kept.item = SharedItem(key=kept.item.key)
                raise ConnectionsInUse("the account's connections are all in use")
            kept.number, kept.item = number, self._slot(kept.account, number)

    def ends_at_once(self, kept: _Kept) -> bool:
        """Whether the session ends with the invocation: few connections, and the one that bulk leaves free."""
        is_left_free = self._is_left_free(kept.account, kept.number)
        return is_left_free or self.connections(kept.account) <= slot.CLOSED_AT_ONCE

    def _look_further(self, account: MailAccount, *, leaves_one: bool) -> None:
        """Read the slots that nobody has read, where those that are known are all taken."""
        with self._changed:
            keys = [slot.slot_key(account, number) for number in self._numbers(account, leaves_one=leaves_one)]
            unread = [key for key in keys if key not in self._known]
            is_free_known = any(not self._is_taken(self._known[key]) for key in keys if key in self._known)
            if not unread or is_free_known or self._of(account, leaves_one=leaves_one):
                return
        self.learn(self._slots.read(unread))

    def _take(self, account: MailAccount, credential: Credential | None, deadline: float, *, leaves_one: bool) -> _Kept:
        with self._changed, self._in_line(account, leaves_one=leaves_one):
            taken: list[_Kept] = []
            found = self._changed.wait_for(
                lambda: self._found(account, credential, taken, leaves_one=leaves_one),
                timeout=max(0.0, deadline - self._monotonic()),
            )
            if not found:
                raise TooLate("the account's sessions are all in use")
            taken[0].is_in_use, taken[0].leaves_one = True, leaves_one
            return taken[0]

    @contextmanager
    def _in_line(self, account: MailAccount, *, leaves_one: bool) -> Iterator[None]:
        """Let bulk wait while somebody else does."""
        if leaves_one:
            yield
            return
        self._waiting.append((account.project_id, account.id))
        try:
            yield
        finally:
            self._waiting.remove((account.project_id, account.id))
            self._changed.notify_all()

    def _found(
        self, account: MailAccount, credential: Credential | None, taken: list[_Kept], *, leaves_one: bool
    ) -> bool:
        """Whether there was one to take, which is then in `taken`."""
        self._drop_stale(account)
        ours = self._of(account, leaves_one=leaves_one)
        if ours and leaves_one and (account.project_id, account.id) in self._waiting:
            return False
        idle = next((kept for kept in ours if not kept.is_in_use), None)
        if idle is not None:
            taken.append(idle)
            return True
        number = self._free_number(account, leaves_one=leaves_one)
        if number is not None:
            submission = self._open(account, credential)
            item = self._slot(account, number)
            kept = _Kept(account=account, credential_key=_key(account), submission=submission, number=number, item=item)
            self._kept.append(kept)
            taken.append(kept)
            return True
        if not ours:
            raise ConnectionsInUse("the account's connections are all in use")
        return False

    def _drop_stale(self, account: MailAccount) -> None:
        """Let go of sessions that nobody may use any more: other settings, another credential, a slot that is over."""
        now = self.clock()
        for kept in self._of(account):
            is_stale = kept.credential_key != _key(account) or not slot.lives(kept.item, now)
            if is_stale and not kept.is_in_use:
                kept.submission.drop()
                self._kept.remove(kept)

    def _of(self, account: MailAccount, *, leaves_one: bool = False) -> list[_Kept]:
        """The account's sessions; where one is left to others, without it."""
        ours = [kept for kept in self._kept if kept.account_key == (account.project_id, account.id)]
        return [kept for kept in ours if not (leaves_one and self._is_left_free(account, kept.number))]

    def _free_number(self, account: MailAccount, *, leaves_one: bool) -> int | None:
        """The number of a slot that nobody has, as far as is known; not the one that all others try first, too.

        The one that bulk leaves free comes after others that are known to be free, and before a guess: of those that
        nobody has read, bulk may have all.
        """
        ours = {kept.number for kept in self._of(account)}
        if len(ours) >= self.connections(account):  # some may be beyond a limit that was lowered
            return None
        numbers = self._numbers(account, leaves_one=leaves_one)
        free = [number for number in numbers if number not in ours and not self._is_taken(self._slot(account, number))]
        return min(
            free,
            key=lambda number: (
                slot.slot_key(account, number) not in self._known,
                self._is_left_free(account, number),
            ),
            default=None,
        )

    def _numbers(self, account: MailAccount, *, leaves_one: bool) -> list[int]:
        """The numbers of the account's slots, in this process's order; where one is left to others, without it."""
        connections, first = self.connections(account), zlib.crc32(self.holder.encode())
        numbers = [(first + step) % connections for step in range(connections)]
        return [number for number in numbers if not (leaves_one and self._is_left_free(account, number))]

    def _is_left_free(self, account: MailAccount, number: int) -> bool:
        return slot.is_left_free(number, self.connections(account))

    def _is_taken(self, item: SharedItem) -> bool:
        return slot.is_taken(item, self.holder, self.clock())

    def _slot(self, account: MailAccount, number: int) -> SharedItem:
        key = slot.slot_key(account, number)
        return self._known.get(key, SharedItem(key=key))

    def _ending(self, now: datetime) -> list[_Kept]:
        idle = [kept for kept in self._kept if not kept.is_in_use]
        may_stay = [kept for kept in idle if self._may_stay(kept, now)]
        may_stay.sort(key=lambda kept: slot.ends_at(kept.item), reverse=True)
        staying: list[_Kept] = []
        for kept in may_stay[:_KEPT_AT_MOST]:
            if sum(other.account_key == kept.account_key for other in staying) < self._share(kept.account):
                staying.append(kept)
        return [kept for kept in idle if kept not in staying]

    def _share(self, account: MailAccount) -> int:
        """How many may stay open unused: with what others hold, half at most, so that nobody waits for idle ones."""
        connections = self.connections(account)
        others = sum(self._is_taken(self._slot(account, number)) for number in range(connections))
        return connections // 2 - others

    def _may_stay(self, kept: _Kept, now: datetime) -> bool:
        return not self.ends_at_once(kept) and kept.submission.is_open and slot.lives(kept.item, now)

    def _give_back(self, ended: Sequence[_Kept]) -> None:
        now = self.clock()
        self._slots.write(
            [slot.leased(kept.item, self.holder, now) for kept in ended if slot.lives(kept.item, now + _WORTH_A_CALL)]
        )


class LeasedSession:
    """One session, for one caller."""

    def __init__(self, sessions: Sessions, kept: _Kept) -> None:
        self._sessions = sessions
        self._kept = kept

    @property
    def is_open(self) -> bool:
        """Whether it takes one more mail without connecting, and logging in, anew."""
        return self._kept.submission.is_open

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Generator[Reply]:
        """Submit the mails; see `Submission.submit`."""
        return self._kept.submission.submit(mails, deadline=deadline)

    def held_until(self, moment: datetime) -> SharedItem:
        """The session's slot, as it must be written before anything is submitted, to hold it until `moment`."""
        return slot.leased(self._kept.item, self._sessions.holder, moment)

    def kept_open(self) -> SharedItem | None:
        """The slot as it may be written with the last answers; None where it is given back with the connection."""
        if self._sessions.ends_at_once(self._kept):
            return None
        return self.held_until(self._sessions.clock() + slot.KEPT_OPEN)

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of items that stand now; the session moves on if another process has its slot.

        Raises:
            ConnectionsInUse: there is no other slot.
        """
        items = tuple(items)
        self._sessions.learn(items)
        mine = next((item for item in items if item.key == self._kept.item.key), None)
        if mine is None:
            return
        if slot.is_taken(mine, self._sessions.holder, self._sessions.clock()):
            self._sessions.move(self._kept)
        else:
            self._kept.item = mine

    def renew(self, account: MailAccount, credential: Credential | None) -> None:
        """Go on with another credential."""
        self._sessions.renew(self._kept, account, credential)


def _key(account: MailAccount) -> Key:
    return (account.project_id, account.id, account.version, account.credential_version)
