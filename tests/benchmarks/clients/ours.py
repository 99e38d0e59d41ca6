"""Our adapter: one `Submission` for each connection, as `deliver` has one for each slot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tocsin.adapters.egress import Egress
from tocsin.adapters.submission import Submission
from tocsin.model.credential import Credential
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.mail_account import Auth, MailAccount, Relay, Security, Sender

from tests.benchmarks.clients.job import do_in_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.benchmarks.clients.job import Job

_LONGEST_SECONDS = 300


def submission_of(job: Job) -> Submission:
    """A submission to the job's relay, yet to be opened."""
    security, auth = (Security.STARTTLS, "password") if job.protected else (Security.NONE, "none")
    account = MailAccount(
        project_id="bench",
        id="ours",
        version=1,
        name="Bench",
        relay=Relay(host=job.host, port=job.port, security=security, ca_certificate=job.ca_certificate),
        auth=Auth(type=auth, username=job.username),
        senders=(Sender(email=job.mail_from),),
    )
    credential = Credential(version="1", username=job.username, password=job.password)
    return Submission(account, credential, egress=Egress(f"{job.host}:{job.port}"))


def submit_all(submission: Submission, mails: Iterable[MailObject]) -> None:
    """Submit the mails, each of which has to be accepted."""
    for reply in submission.submit(mails, deadline=time.monotonic() + _LONGEST_SECONDS):
        assert reply.accepted, reply


def _submit(job: Job, recipients: Sequence[str]) -> None:
    content = job.content.encode()
    with submission_of(job) as submission:
        submit_all(
            submission,
            (
                MailObject(envelope=Envelope(mail_from=job.mail_from, rcpt_to=rcpt_to), content=content)
                for rcpt_to in recipients
            ),
        )


if __name__ == "__main__":
    do_in_threads(_submit)
