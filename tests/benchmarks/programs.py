"""The programs that clients are measured against, each in a process of its own: the sink, and the delay line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.sink import Taken
from tests.relay.authority import authority, loopback_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import Popen


@dataclass(frozen=True, slots=True)
class Sink:
    """The sink's program; `ca_certificate` is what its clients are to trust."""

    process: Popen[str]
    port: int
    ca_certificate: str

    def taken(self) -> Taken:
        """What it took since it was started."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Taken(**json.loads(self.process.stdout.readline()))


@contextmanager
def running_sink() -> Iterator[Sink]:
    """Run a sink."""
    certificate = loopback_certificate()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "certificate.pem")
        path.write_text(certificate.chain + certificate.key, encoding="ascii")
        with _running("tests.benchmarks.sink", str(path)) as (process, port):
            yield Sink(process, port, authority().pem)


@contextmanager
def running_delay_line(port: int, *, round_trip: float) -> Iterator[int]:
    """Run a delay line to the port, of so many milliseconds; its own port."""
    with _running("tests.benchmarks.delay_line", str(port), str(round_trip)) as (_, own_port):
        yield own_port


@contextmanager
def _running(module: str, *arguments: str) -> Iterator[tuple[Popen[str], int]]:
    """Run a program that prints its port first."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (our own program)
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.terminate()
