"""A mail server in the foreground, as a process of ours with a folder of its own; nothing of the system's is used."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.relay.authority import loopback_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HOST = "127.0.0.1"
USERNAME, PASSWORD = "ana", "hunter2"
SIZE_LIMIT = 100_000
"""The largest mail, in octets, that each of them takes."""
_READY_WITHIN_SECONDS = 20.0
_STOPPED_WITHIN_SECONDS = 10.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """A server that runs.

    `is_idle` tells whether its queue is empty. One that `is_proxy` has none: it asks the sink about each command, and
    gives its answers. Any other refuses by itself, and what it takes goes to the sink later.
    """

    port: int
    security: Literal["starttls", "tls"]
    is_idle: Callable[[], bool]
    is_proxy: bool = False


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that every user may enter, whose path is short enough for sockets; it holds a certificate."""
    with tempfile.TemporaryDirectory(prefix="tocsin-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        certificate = loopback_certificate()
        (folder / "certificate.pem").write_text(certificate.chain)
        (folder / "key.pem").write_text(certificate.key)  # it dies with this test run, and so do its users
        yield folder


@contextmanager
def running(command: Sequence[str], *, is_ready: Callable[[], bool], folder: Path) -> Iterator[None]:
    """Run a server until the block ends, which begins when it is ready. `folder` has its log."""
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  (a server of ours, with a configuration of ours)
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until(is_ready, process, log)
        yield
    finally:
        _stop(process)


def listens(port: int) -> bool:
    """Whether somebody answers at this port."""
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def found(program: str, *, also_in: Path | None = None) -> str | None:
    """Where a server's program is; those of servers are not on everybody's path."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return shutil.which(program, path=f"{also_in}:{path}" if also_in else path)


def lacking(**needed: object) -> str | None:
    """Which of these a machine has not; None where a server can run."""
    is_root = os.geteuid() == 0 or None  # the servers change to users of their own
    return ", ".join(name for name, there in {**needed, "root": is_root}.items() if there is None) or None


def _wait_until(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
    while not is_ready():
        assert process.poll() is None, f"it ended with status {process.returncode}\n{log.read_text()}"
        assert time.monotonic() < give_up_at, f"it is not ready\n{log.read_text()}"
        time.sleep(_POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):  # none of its children is left
        os.killpg(process.pid, signal.SIGKILL)
