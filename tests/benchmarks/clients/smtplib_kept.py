"""The standard library's `smtplib`, a connection kept for all mails of a thread."""

from __future__ import annotations

from smtplib import SMTP
from typing import TYPE_CHECKING

from tests.benchmarks.clients.job import do_in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.clients.job import Job


def connected(job: Job) -> SMTP:
    """A connection that has logged in, unless the job is in clear."""
    smtp = SMTP(job.host, job.port)
    if job.protected:
        smtp.starttls(context=job.tls())
        smtp.login(job.username, job.password)
    return smtp


def _submit(job: Job, recipients: Sequence[str]) -> None:
    content = job.content.encode()
    with connected(job) as smtp:
        for rcpt_to in recipients:
            smtp.sendmail(job.mail_from, [rcpt_to], content)


if __name__ == "__main__":
    do_in_threads(_submit)
