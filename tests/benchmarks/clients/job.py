"""A job for a client: a program that reads it as JSON from standard input, does it, and prints its outcome as JSON."""

from __future__ import annotations

import json
import resource
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to submit, where, and over how many connections: `mails` over each.

    `content` is ready to be submitted. A client that builds its mails makes them of `letter` instead, and builds and
    submits `warm_up` of them before its clock starts. Where it is not `protected`, neither STARTTLS nor AUTH is used.
    """

    host: str
    port: int
    ca_certificate: str
    username: str
    password: str
    mail_from: str
    connections: int
    mails: int
    content: str = ""
    letter: dict[str, str] | None = None
    warm_up: int = 0
    protected: bool = True

    def recipients(self) -> list[list[str]]:
        """The recipients of each connection's mails."""
        return [
            [f"reader{number}.{connection}@example.org" for number in range(self.mails)]
            for connection in range(self.connections)
        ]

    def tls(self) -> ssl.SSLContext:
        """A context that trusts the relay."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.ca_certificate)
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Seconds from the first connect until all is over, and of the client's CPU."""

    seconds: float
    cpu_seconds: float


def do(work: Callable[[Job], None], *, of: int = resource.RUSAGE_SELF) -> None:
    """Do the job that stands on standard input; `of` says whose CPU time it takes: this process's or its children's."""
    job = read_job()
    tell(timed(lambda: work(job), of=of))


def do_in_threads(submit: Callable[[Job, Sequence[str]], None]) -> None:
    """Do the job with a thread for each connection, which submits to its recipients."""

    def work(job: Job) -> None:
        with ThreadPoolExecutor(job.connections) as pool:
            list(pool.map(lambda recipients: submit(job, recipients), job.recipients()))

    do(work)


def read_job() -> Job:
    """The job that stands on standard input."""
    return Job(**json.load(sys.stdin))


def tell(outcome: Outcome) -> None:
    """Print the outcome."""
    print(json.dumps(asdict(outcome)))


def timed(work: Callable[[], object], *, of: int = resource.RUSAGE_SELF) -> Outcome:
    """Do the work and say what it took."""
    begun, cpu_begun = time.monotonic(), _cpu_seconds(of)
    work()
    return Outcome(seconds=time.monotonic() - begun, cpu_seconds=_cpu_seconds(of) - cpu_begun)


def _cpu_seconds(of: int) -> float:
    usage = resource.getrusage(of)
    return usage.ru_utime + usage.ru_stime
