"""What the benchmark measures with: the sink counts what it took, and the delay line is as long as it says."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager
from smtplib import SMTP
from typing import TYPE_CHECKING

import pytest
from tocsin.model.envelope import Envelope, MailObject

from tests.benchmarks.clients.job import Job
from tests.benchmarks.clients.ours import submission_of, submit_all
from tests.benchmarks.mails import SENDER, prepared
from tests.benchmarks.programs import Sink, running_delay_line, running_sink
from tests.benchmarks.sink import Taken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

MAIL = prepared().encode()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


def test_a_sink_tells_protected_mails_from_others(sink: Sink) -> None:
    with SMTP("localhost", sink.port) as smtp:
        smtp.sendmail(SENDER.email, ["ana@example.org"], MAIL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=sink.ca_certificate)
        smtp.starttls(context=context)
        smtp.sendmail(SENDER.email, ["ana@example.org"], MAIL)
        smtp.login("ana", "hunter2")
        smtp.sendmail(SENDER.email, ["ana@example.org"], MAIL)

    assert sink.taken() == Taken(mails=3, protected=1, octets=3 * len(MAIL))


def test_a_sink_takes_pipelined_mails_whole(sink: Sink) -> None:
    job = Job(
        host="localhost",
        port=sink.port,
        ca_certificate=sink.ca_certificate,
        username="ana",
        password="hunter2",
        mail_from=SENDER.email,
        connections=1,
        mails=5,
    )
    envelopes = [Envelope(mail_from=job.mail_from, rcpt_to=rcpt_to) for rcpt_to in job.recipients()[0]]
    with submission_of(job) as submission:
        submit_all(submission, [MailObject(envelope=envelope, content=MAIL) for envelope in envelopes])

    assert sink.taken() == Taken(mails=5, protected=5, octets=5 * len(MAIL))


def test_a_delay_line_keeps_the_order_and_takes_its_time(sink: Sink) -> None:
    with running_delay_line(sink.port, round_trip=30) as port, _connection(port) as (stream, replies):
        greeting = replies.readline()
        begun = time.monotonic()
        for number in range(50):
            stream.sendall(b"NOOP\r\n" if number % 2 else b"HELO sink\r\n")
        stream.sendall(b"QUIT\r\n")
        answers = replies.read().splitlines()
        seconds = time.monotonic() - begun

    assert greeting.startswith(b"220 ")
    assert answers == [b"250 sink", b"250 2.0.0 OK"] * 25 + [b"221 2.0.0 bye"]
    assert seconds >= 0.03


@contextmanager
def _connection(port: int) -> Iterator[tuple[socket.socket, BufferedReader]]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stream, stream.makefile("rb") as replies:
        yield stream, replies
