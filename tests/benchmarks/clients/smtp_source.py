"""Postfix's `smtp-source -d`, which the first argument names. It knows neither TLS nor AUTH, so it does without."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.clients.job import do
from tests.benchmarks.peers import library_path

if TYPE_CHECKING:
    from tests.benchmarks.clients.job import Job


def _submit(job: Job) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "content")
        content.write_text(job.content.replace("\r\n", "\n").removesuffix("\n"), encoding="ascii")  # it adds a line end
        sessions = ["-d", "-s", str(job.connections), "-m", str(job.connections * job.mails), "-F", str(content)]
        envelope = ["-N", "-f", job.mail_from, "-t", "reader@example.org"]
        command = [sys.argv[1], *sessions, *envelope, f"{job.host}:{job.port}"]
        subprocess.run(command, env=library_path(Path(sys.argv[1])), check=True)  # noqa: S603  (the program that the bench found)


if __name__ == "__main__":
    do(_submit, of=resource.RUSAGE_CHILDREN)
