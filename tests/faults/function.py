"""`deliver` in a process of its own, which can be killed at any moment and invoked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from threading import Event
from typing import IO, TYPE_CHECKING, Any

from tests.faults.death import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.faults.death import Death

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What became of one invocation.

    `given_back` are ids of messages, `calls` those that it made, `lines` how many it ran, if they were counted.
    """

    died: bool
    given_back: list[str] = field(default_factory=list)
    lines: int = 0
    calls: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether SQS would now delete the message."""
        return not self.died and not self.given_back


class Function:
    """The function; `invoke` from one thread at a time, `kill` from any."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._pid = 0
        self._running = Event()

    def invoke(self, event: Json, death: Death | None = None) -> Invocation:
        """Invoke it, and wait until it has answered or is dead."""
        self._write({"event": event, "death": asdict(death) if death else None})
        self._pid = self._read()["pid"]
        self._running.set()
        answer = self._read()
        ended = self._read() if "returned" in answer else answer
        self._running.clear()
        self._write({"reap": True})
        assert ended["status"] in {0, signal.SIGKILL}, f"it ended with {ended['status']}; its log: {self._log}"
        if "returned" not in answer:
            return Invocation(died=True)
        failures = answer["returned"]["batchItemFailures"]
        given_back = [failure["itemIdentifier"] for failure in failures]
        died = ended["status"] != 0
        return Invocation(died=died, given_back=given_back, lines=answer["lines"], calls=answer["calls"])

    def kill(self) -> None:
        """Kill what runs, as soon as it does."""
        if self._running.wait(timeout=5):
            os.kill(self._pid, signal.SIGKILL)

    def _write(self, message: Json) -> None:
        _pipe(self._process.stdin).write(json.dumps(message) + "\n")
        _pipe(self._process.stdin).flush()

    def _read(self) -> Json:
        line = _pipe(self._process.stdout).readline()
        assert line, f"the function's process ended; its log: {self._log}"
        answer: Json = json.loads(line)
        return answer


@contextmanager
def running_function(log: Path, environment: Mapping[str, str]) -> Iterator[Function]:
    """Have a warm process of the function until the block ends."""
    with (
        log.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.function_process"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        ) as process,
    ):
        yield Function(process, log)  # leaving the block closes its input, which ends it


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
