"""Warm functions, and the AWS around them: the local engine with the stack's tables, queues, bus and secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from local.engine_process import running_engine
from tests.benchmarks.programs import running_delay_line, running_sink
from tests.functional.deliver.stack import Acme, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from subprocess import Popen

    from tests.benchmarks.programs import Sink

_AWS = {
    "AWS_ACCESS_KEY_ID": "123456789012",  # the engine takes it for the account's id
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Tocsin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One invocation: its time, and the requests to AWS that it made, as `dynamodb.GetItem`."""

    returned: Any
    seconds: float
    calls: list[str]


@dataclass(frozen=True, slots=True)
class Function:
    """A function that stays warm."""

    process: Popen[str]
    log: Path

    def invoke(self, records: Sequence[Mapping[str, Any]]) -> Invocation:
        """Have it handle a batch, all of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"Records": records}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"returned": "nothing"}')
        all_handled = answer["returned"] in (None, {"batchItemFailures": []})
        assert all_handled, f"{answer['returned']}\n{self.log.read_text(encoding='utf-8')[-2000:]}"
        return Invocation(**answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What functions of one stack work with.

    `endpoint_url` and `relay_port` are where functions find AWS and the relay, each as far away as was asked for.
    `folder` takes what they log.
    """

    folder: Path
    stack: Stack
    sink: Sink
    endpoint_url: str
    relay_port: int
    environment: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Lay together what the template gives a function, and where it is."""
        places = {"AWS_ENDPOINT_URL": self.endpoint_url, "ALLOWED_PRIVATE_HOSTS": f"127.0.0.1:{self.relay_port}"}
        object.__setattr__(self, "environment", self.stack.environment | _AWS | places)

    def project(self, *, connections: int) -> Acme:
        """A new project whose one mail account has so many connections; its relay takes any password."""
        acme = Acme()
        acme.changes = {
            "relay": {
                "host": "127.0.0.1",
                "port": self.relay_port,
                "security": "starttls",
                "timeout_seconds": 30,
                "ca_certificate": self.sink.ca_certificate,
            },
            "limits": {"connections": connections},
        }
        acme.save(None)
        return acme

    @contextmanager
    def function(self, module: str = "functions.deliver.app") -> Iterator[Function]:
        """A function that has not been invoked yet."""
        log = self.folder / f"{module}.log"
        with (
            log.open("w", encoding="utf-8") as output,
            subprocess.Popen(  # noqa: S603  (our own program)
                [sys.executable, "-m", "tests.benchmarks.function_process", module],
                env={**os.environ, **self.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            ) as process,
        ):
            yield Function(process, log)  # leaving the block closes its input, which ends it

    def record(self, body: str, *, queue: str = "NotificationQueue") -> dict[str, Any]:
        """A message of a queue as the event source hands it over the first time."""
        return {
            "messageId": "message",
            "receiptHandle": "handle",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSourceARN": self.stack.arn(queue),
        }


@contextmanager
def running_world(*, relay_round_trip: float = 0, aws_round_trip: float = 0) -> Iterator[World]:
    """A stack and a relay; functions have round trips of so many milliseconds to both."""
    with (
        tempfile.TemporaryDirectory() as home,
        running_engine(Path(home)) as engine,
        running_sink() as sink,
        _own_environment({**_AWS, "AWS_ENDPOINT_URL": engine.endpoint_url}),
        ExitStack() as lines,
    ):

        def seen_from_functions(port: int, round_trip: float) -> int:
            return lines.enter_context(running_delay_line(port, round_trip=round_trip)) if round_trip else port

        yield World(
            folder=Path(home),
            stack=Stack(),
            sink=sink,
            endpoint_url=f"http://127.0.0.1:{seen_from_functions(engine.port, aws_round_trip)}",
            relay_port=seen_from_functions(sink.port, relay_round_trip),
        )


@contextmanager
def _own_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Let boto3 here use these variables until the block ends, and not the credentials that it found before."""
    kept = dict(os.environ)
    os.environ |= variables
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= kept
        boto3.DEFAULT_SESSION = None
