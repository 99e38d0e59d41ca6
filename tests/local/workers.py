"""The processes that run the functions: children of the engine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def kill_function_workers(engine_pid: int) -> int:
    """Kill them as a crash would, and return how many there were."""
    workers = _children(engine_pid)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    return len(workers)


def _children(parent: int) -> list[int]:
    return [pid for pid, parent_of_it in _processes() if parent_of_it == parent]


def _processes() -> Iterator[tuple[int, int]]:
    """Every process and its parent: from /proc where there is one, as small Linux images have no ps."""
    if not Path("/proc/self/stat").exists():
        command = ["/bin/ps", "-A", "-o", "pid=,ppid="]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603
        yield from ((int(pid), int(parent)) for pid, parent in map(str.split, lines))
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # a process that ended meanwhile
            after_name = stat.read_text().rpartition(")")[2].split()
            yield int(stat.parent.name), int(after_name[1])
