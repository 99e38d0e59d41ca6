"""Our composer and our adapter: mails composed while the ones before them are submitted, over one connection."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING

from tocsin.compose.composer import Composer

from tests.benchmarks.clients.job import read_job, tell, timed
from tests.benchmarks.clients.ours import submission_of, submit_all
from tests.benchmarks.mails import composed, notification

if TYPE_CHECKING:
    from tocsin.adapters.submission import Submission

_SPLIT_AT = 100  # recipients of one notification object: of an event, or of a large one's chunk


def main() -> None:
    """Do the job on standard input."""
    job = read_job()
    composer = Composer()
    with submission_of(job) as submission:
        _submit(composer, submission, range(job.warm_up))
        tell(timed(lambda: _submit(composer, submission, range(job.warm_up, job.warm_up + job.mails))))


def _submit(composer: Composer, submission: Submission, recipients: range) -> None:
    for chunk in batched(recipients, _SPLIT_AT, strict=False):
        submit_all(submission, composed(composer, notification(chunk)))


if __name__ == "__main__":
    main()
