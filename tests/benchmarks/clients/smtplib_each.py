"""The standard library's `smtplib`, a connection for each mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.clients.job import do_in_threads
from tests.benchmarks.clients.smtplib_kept import connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.clients.job import Job


def _submit(job: Job, recipients: Sequence[str]) -> None:
    content = job.content.encode()
    for rcpt_to in recipients:
        with connected(job) as smtp:
            smtp.sendmail(job.mail_from, [rcpt_to], content)


if __name__ == "__main__":
    do_in_threads(_submit)
