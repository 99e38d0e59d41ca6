"""aiosmtplib, a connection kept for all mails of a task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiosmtplib import SMTP  # type: ignore[import-not-found]  # it lives in an environment of its own

from tests.benchmarks.clients.job import do

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.clients.job import Job


async def _submit_all(job: Job) -> None:
    await asyncio.gather(*(_submit(job, recipients) for recipients in job.recipients()))


async def _submit(job: Job, recipients: Sequence[str]) -> None:
    content = job.content.encode()
    smtp = SMTP(
        hostname=job.host,
        port=job.port,
        start_tls=job.protected,
        tls_context=job.tls() if job.protected else None,
        username=job.username if job.protected else None,
        password=job.password if job.protected else None,
    )
    async with smtp:
        for rcpt_to in recipients:
            await smtp.sendmail(job.mail_from, [rcpt_to], content)


if __name__ == "__main__":
    do(lambda job: asyncio.run(_submit_all(job)))
