"""The engine as a process of ours: started on a port, waited for, stopped, and explained when it fails."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from local.ports import HOST, usable_port
from local.stack import ACCOUNT_ID, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
TOOLS = ROOT / ".tools"
ENGINE_PYTHON = TOOLS / "engine" / "bin" / "python"
FUNCTION_PYTHON = TOOLS / "function" / "bin" / "python"
READY_WITHIN_SECONDS = 30
STOPPED_WITHIN_SECONDS = 15
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 15
PREFERRED_PORT = 4566


class EngineFailed(Exception):
    """The engine did not start, or died; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running engine."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint_url(self) -> str:
        """Where AWS clients find it."""
        return f"http://{HOST}:{self.port}"

    def check(self) -> None:
        """Do nothing while the engine runs.

        Raises:
            EngineFailed: it does not.
        """
        if self.process.poll() is not None:
            raise EngineFailed(f"the engine ended with status {self.process.returncode}\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of the log, and where the rest is."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([*(f"  {line}" for line in lines), f"  (whole log: {self.log})"])


@contextmanager
def running_engine(home: Path, *, port: int | None = None, checkpoint_seconds: float | None = None) -> Iterator[Engine]:
    """Run the engine until the block ends. `home` takes its log and temporary files.

    With `checkpoint_seconds`, `home` also keeps the engine's state from run to run, saved this often.

    Raises:
        EngineFailed: it did not start.
    """
    if port and usable_port(port) != port:  # else the other program's answer would be taken for the engine's
        raise EngineFailed(f"port {port} is in use")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = _start(home, port=port or usable_port(), checkpoint_seconds=checkpoint_seconds)
    try:
        _wait_until_ready(engine)
        yield engine
    finally:
        _stop(engine)


def _start(home: Path, *, port: int, checkpoint_seconds: float | None) -> Engine:
    log = home / "engine.log"
    command = [str(ENGINE_PYTHON), "-m", "local.engine", f"--port={port}", f"--region={REGION}"]
    command += [f"--account-id={ACCOUNT_ID}", f"--home={home}", f"--function-python={FUNCTION_PYTHON}"]
    if checkpoint_seconds:
        command.append(f"--checkpoint-seconds={checkpoint_seconds}")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  (our own launcher)
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,  # its other end: the engine stops when we are gone
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we stop the engine in order
        )
    return Engine(port=port, log=log, process=process)


def _wait_until_ready(engine: Engine) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_SECONDS
    while not _is_ready(engine.port):
        engine.check()
        if time.monotonic() > give_up_at:
            raise EngineFailed(f"the engine did not answer within {READY_WITHIN_SECONDS} s\n{engine.log_tail()}")
        time.sleep(POLL_SECONDS)


def _is_ready(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == 200  # noqa: PLR2004  (OK)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _stop(engine: Engine) -> None:
    engine.process.terminate()
    try:
        engine.process.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        engine.process.kill()
        engine.process.wait()
    if engine.process.stdin:
        engine.process.stdin.close()
