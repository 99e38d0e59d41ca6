"""Sessions with relays, shared by the records of one invocation and never between projects or credentials."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING

from tocsin.errors import TooLate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tocsin.adapters.submission import Submission
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount

    Open = Callable[[MailAccount, Credential | None], Submission]
    Key = tuple[str, str, int, str | None]


@dataclass(slots=True)
class _Pool:
    idle: list[Submission] = field(default_factory=list)
    in_use: int = 0


class Sessions:
    """Lends each account's sessions, as many at once as the account allows."""

    def __init__(self, open_session: Open, *, monotonic: Callable[[], float]) -> None:
        self._open = open_session
        self._monotonic = monotonic
        self._pools: dict[Key, _Pool] = {}
        self._changed = Condition()

    @contextmanager
    def lease(self, account: MailAccount, credential: Credential | None, *, deadline: float) -> Iterator[Submission]:
        """A session of the account, for this caller alone until the block ends.

        Raises:
            TooLate: the account's sessions are all in use, and were until `deadline` (monotonic seconds).
        """
        key = (account.project_id, account.id, account.version, account.credential_version)
        session = self._take(key, account, credential, deadline)
        try:
            yield session
        finally:
            with self._changed:
                pool = self._pools[key]
                pool.in_use -= 1
                pool.idle.append(session)
                self._changed.notify_all()

    def close(self) -> None:
        """End all sessions that are not in use."""
        with self._changed:
            idle = [session for pool in self._pools.values() for session in pool.idle]
            self._pools = {key: pool for key, pool in self._pools.items() if pool.in_use}
            for pool in self._pools.values():
                pool.idle.clear()
        if idle:
            with ThreadPoolExecutor(max_workers=len(idle)) as closing:  # one that hangs holds up no other
                list(closing.map(lambda session: session.close(), idle))

    def _take(self, key: Key, account: MailAccount, credential: Credential | None, deadline: float) -> Submission:
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._pool(key).in_use < account.limits.connections,
                timeout=max(0.0, deadline - self._monotonic()),
            )
            if not free:
                raise TooLate("the account's sessions are all in use")
            pool = self._pool(key)
            session = pool.idle.pop() if pool.idle else self._open(account, credential)
            pool.in_use += 1
            return session

    def _pool(self, key: Key) -> _Pool:
        """The pool as it is now: `close` may have dropped the one that a caller waited for."""
        return self._pools.setdefault(key, _Pool())
