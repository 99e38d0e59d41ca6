"""Visit all grants that are due, many at once, and stop in time; what is left is the next run's."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Protocol

from tocsin.model.visits import is_renewable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from tocsin.actions.renew_grant import Visit
    from tocsin.model.mail_account import MailAccount

_LEFT = "left_for_next_run"


class DueGrants(Protocol):
    """Mail accounts, and the index of them by when they are to be visited."""

    def due(self, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Project and account ids of one shard whose time has come, the longest due first."""
        ...

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account as it stands now."""
        ...


class Visits(Protocol):
    """Renews grants."""

    def visit(self, project_id: str, account_id: str) -> Visit:
        """Renew the grant if that is due; errors as `RenewGrant` says."""
        ...


class Warn(Protocol):
    """Warns of the ends of client secrets."""

    def __call__(self, account: MailAccount) -> None:
        """Warn the account's admins if it is time to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshDue:
    """The action and all that it needs.

    `starts_per_second` paces it: each start writes one secret at most. `on_trouble` is told project, account and error.
    """

    grants: DueGrants
    renew: Visits
    warn: Warn
    shards: int
    workers: int
    starts_per_second: float
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    on_trouble: Callable[[str, str, str], None]
    pause: Callable[[float], None]

    def __call__(self, *, until: float) -> Counter[str]:
        """Visit what is due, begin nothing after `until` (monotonic seconds), and count what happened.

        The counts are those of `RenewalOutcome` and the names of errors. Beside them, `late` and `lapsed` count the
        grants whose access token was found within its margin, or past its end, and `not_warned` warnings that failed;
        `left_for_next_run` is there where time ran out.
        """
        counts: Counter[str] = Counter()
        futures: list[Future[Counter[str]]] = []
        room = BoundedSemaphore(self.workers)
        next_start = self.monotonic()
        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            for project_id, account_id in self._due():
                room.acquire()
                now = self.monotonic()
                if now >= until:
                    counts[_LEFT] += 1
                    break
                if now < next_start:
                    self.pause(next_start - now)
                next_start = max(now, next_start) + 1 / self.starts_per_second
                future = pool.submit(self._visit, project_id, account_id, until)
                future.add_done_callback(lambda _: room.release())
                futures.append(future)
        for future in futures:
            counts += future.result()
        return counts

    def _due(self) -> Iterator[tuple[str, str]]:
        """What is due in all shards, one of each in turn, so that none waits behind another."""
        now = self.clock()
        shards: Sequence[Iterator[tuple[str, str]]] = [self.grants.due(shard, now) for shard in range(self.shards)]
        for row in zip_longest(*shards):
            yield from (found for found in row if found is not None)

    def _visit(self, project_id: str, account_id: str, until: float) -> Counter[str]:
        """Renew, then warn: whichever of the two fails, the other is done and counted as it ended."""
        if self.monotonic() >= until:
            return Counter([_LEFT])
        now, counts = self.clock(), Counter[str]()
        found = after = None
        with self._contained(project_id, account_id, counts):
            visit = self.renew.visit(project_id, account_id)
            counts[visit.outcome.value] += 1
            found, after = visit.before, visit.after
        with self._contained(project_id, account_id, counts, counted_as="not_warned"):
            after = after or self.grants.read(project_id, account_id)
            if after is not None:
                self.warn(after)
        return counts + _lateness(found or after, now)

    @contextmanager
    def _contained(
        self, project_id: str, account_id: str, counts: Counter[str], *, counted_as: str | None = None
    ) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  (the trouble of one grant is told, and stays its own)
            self.on_trouble(project_id, account_id, type(error).__name__)
            counts[counted_as or type(error).__name__] += 1


def _lateness(account: MailAccount | None, now: datetime) -> Counter[str]:
    """How late the account was found, as long as there is something to renew, and that ahead of its use."""
    state = account.grant if account is not None else None
    if account is None or state is None or not state.is_kept_fresh or not is_renewable(account):
        return Counter()
    return Counter({"late": int(state.lapses_soon(now)), "lapsed": int(state.has_lapsed(now))})
