"""Renew all grants that are due, many at once, and stop in time; what is left is the next run's."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from tocsin.actions.log_in import Renewal
    from tocsin.actions.warn_of_secret_end import WarnOfSecretEnd


class DueGrants(Protocol):
    """The index of grants by when they are due."""

    def due(self, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Project and account ids of one shard whose time has come, the longest due first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshDue:
    """The action and all that it needs.

    `starts_per_second` paces it: each start writes one secret at most. `on_trouble` is told project, account and error.
    """

    grants: DueGrants
    renew: Renewal
    warn: WarnOfSecretEnd
    shards: int
    workers: int
    starts_per_second: float
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    on_trouble: Callable[[str, str, str], None]
    pause: Callable[[float], None]

    def __call__(self, *, until: float) -> Counter[str]:
        """Renew what is due, begin nothing after `until` (monotonic seconds), and count what happened.

        The counts are `renewed` and the names of errors; `left_for_next_run` is there where time ran out.
        """
        counts: Counter[str] = Counter()
        futures: list[Future[str]] = []
        room = BoundedSemaphore(self.workers)
        next_start = self.monotonic()
        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            for project_id, account_id in self._due():
                room.acquire()
                now = self.monotonic()
                if now >= until:
                    counts["left_for_next_run"] += 1
                    break
                if now < next_start:
                    self.pause(next_start - now)
                next_start = max(now, next_start) + 1 / self.starts_per_second
                future = pool.submit(self._renew, project_id, account_id, until)
                future.add_done_callback(lambda _: room.release())
                futures.append(future)
        counts.update(future.result() for future in futures)
        return counts

    def _due(self) -> Iterator[tuple[str, str]]:
        """What is due in all shards, one of each in turn, so that none waits behind another."""
        now = self.clock()
        shards: Sequence[Iterator[tuple[str, str]]] = [self.grants.due(shard, now) for shard in range(self.shards)]
        for row in zip_longest(*shards):
            yield from (found for found in row if found is not None)

    def _renew(self, project_id: str, account_id: str, until: float) -> str:
        if self.monotonic() >= until:
            return "left_for_next_run"
        try:
            self.warn(self.renew(project_id, account_id))
        except Exception as error:  # noqa: BLE001  (the trouble of one grant is told, and stays its own)
            self.on_trouble(project_id, account_id, type(error).__name__)
            return type(error).__name__
        return "renewed"
