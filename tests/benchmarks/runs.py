"""Runs: one client doing one job against the sink, and what it took; the sink says whether it did all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from smtplib import SMTP
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks import peers
from tests.benchmarks.clients.job import Job, Outcome, timed
from tests.benchmarks.mails import SENDER, prepared
from tests.benchmarks.programs import running_delay_line, running_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.benchmarks.programs import Sink
    from tests.benchmarks.sink import Taken

ROUND_TRIP_MILLISECONDS = 20
_LONGEST_SECONDS = 120
_NOOPS = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that does a job, by the name that tables give it.

    `command` installs what it needs, and raises `MissingPeer` where that fails. `is_protected` is false where it uses
    neither TLS nor AUTH, be it that it knows neither.
    """

    name: str
    command: Callable[[], Sequence[str]]
    is_protected: bool = True

    def in_clear(self) -> Client:
        """The same program, without TLS and AUTH."""
        return replace(self, name=f"{self.name}, in clear", is_protected=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A job that was done."""

    mails: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Mails a second, the opening and the closing of connections included."""
        return self.mails / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        """Seconds of the client's CPU for 1,000 mails."""
        return self.cpu_seconds / self.mails * 1000

    def __add__(self, other: Run) -> Run:
        """Both, one after the other."""
        return Run(
            mails=self.mails + other.mails,
            seconds=self.seconds + other.seconds,
            cpu_seconds=self.cpu_seconds + other.cpu_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A sink, and how far away it is: `ports` by the round trip in milliseconds."""

    sink: Sink
    ports: dict[int, int]

    def run(
        self,
        client: Client,
        *,
        mails: int,
        connections: int = 1,
        round_trip: int = 0,
        letter: dict[str, str] | None = None,
        warm_up: int = 0,
    ) -> Run:
        """Have the client submit `mails` over each of the connections, built of `letter` if one is given."""
        job = Job(
            host="localhost",
            port=self.ports[round_trip],
            ca_certificate=self.sink.ca_certificate,
            username="bench",
            password="bench",
            mail_from=SENDER.email,
            connections=connections,
            mails=mails,
            content="" if letter else prepared(),
            letter=letter,
            warm_up=warm_up,
            protected=client.is_protected,
        )
        before = self.sink.taken()
        outcome = _do(job, client.command())
        _check(job, before, self.sink.taken(), is_protected=client.is_protected)
        return Run(mails=mails * connections, seconds=outcome.seconds, cpu_seconds=outcome.cpu_seconds)

    def measured_round_trip(self, round_trip: int) -> float:
        """The milliseconds that a NOOP really takes."""
        with SMTP("localhost", self.ports[round_trip]) as smtp:
            return median(timed(smtp.noop).seconds for _ in range(_NOOPS)) * 1000


@contextmanager
def running_range() -> Iterator[Range]:
    """A sink with no round trip and with one of 20 ms."""
    with running_sink() as sink, running_delay_line(sink.port, round_trip=ROUND_TRIP_MILLISECONDS) as delayed:
        yield Range(sink=sink, ports={0: sink.port, ROUND_TRIP_MILLISECONDS: delayed})


def module(name: str, python: Callable[[], str] = lambda: sys.executable) -> Callable[[], Sequence[str]]:
    """The command of a client in Python."""
    return lambda: [python(), "-m", f"tests.benchmarks.clients.{name}"]


def _do(job: Job, command: Sequence[str]) -> Outcome:
    done = subprocess.run(  # noqa: S603  (our own program)
        command, input=json.dumps(asdict(job)), stdout=subprocess.PIPE, text=True, check=True, timeout=_LONGEST_SECONDS
    )
    return Outcome(**json.loads(done.stdout))


def _check(job: Job, before: Taken, after: Taken, *, is_protected: bool) -> None:
    """A client that left something out is not measured."""
    mails = job.connections * job.mails + job.warm_up
    assert after.mails - before.mails == mails, (job.mails, after.mails - before.mails)
    assert after.protected - before.protected == mails * is_protected
    if job.content:
        assert after.octets - before.octets == mails * len(job.content), (after.octets - before.octets) / mails


OURS = Client(name="Tocsin", command=module("ours"))
SMTP_SOURCE = Client(
    name="Postfix smtp-source -d",
    command=lambda: [*module("smtp_source")(), str(peers.smtp_source())],
    is_protected=False,
)
SMTPLIB_EACH = Client(name="smtplib, a connection per mail", command=module("smtplib_each"))
SMTPLIB_KEPT = Client(name="smtplib, kept", command=module("smtplib_kept"))
AIOSMTPLIB = Client(name="aiosmtplib, kept", command=module("aiosmtplib_kept", lambda: str(peers.aiosmtplib_python())))
NODEMAILER = Client(
    name=f"nodemailer {peers.version_of('nodemailer')}, pool",
    command=lambda: ["node", str(peers.nodemailer_folder() / "pool.js")],
)
