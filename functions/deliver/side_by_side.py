"""Work on the records of a batch side by side, and answer before the function's time is over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked[Record, Outcome]:
    """What became of one record: an outcome, an error, or neither where the time ran out."""

    record: Record
    outcome: Outcome | None = None
    error: BaseException | None = None


def work_side_by_side[Record, Outcome](
    records: Sequence[Record], work: Callable[[Record], Outcome], *, seconds: float
) -> list[Worked[Record, Outcome]]:
    """Give every record a thread of its own, so that none waits for another, and wait for at most `seconds`.

    What is not done by then goes on in its thread, but is reported as not done: SQS gives it out again.
    """
    if not records:
        return []
    pool = ThreadPoolExecutor(max_workers=len(records))
    futures = [pool.submit(work, record) for record in records]
    wait(futures, timeout=max(0.0, seconds))
    pool.shutdown(wait=False, cancel_futures=True)
    return [_worked(record, future) for record, future in zip(records, futures, strict=True)]


def _worked[Record, Outcome](record: Record, future: Future[Outcome]) -> Worked[Record, Outcome]:
    if not future.done() or future.cancelled():
        return Worked(record=record)
    error = future.exception()
    return Worked(record=record, error=error) if error is not None else Worked(record=record, outcome=future.result())
