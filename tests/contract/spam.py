"""SpamAssassin by the rules that come with it: no network, nothing learnt, no user's settings."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from shutil import which
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROGRAM = which("spamassassin")
_RULES = "/usr/share/spamassassin"  # those of the package, though newer ones may have been fetched
_SETTINGS = (
    "use_bayes 0",
    "score ALL_TRUSTED 0",  # no bonus for where the mails come from
    "report_safe 0",
    "fold_headers 0",
    "add_header all Verdict _SCORE_ _TESTSSCORES_",
)
_VERDICT = re.compile(rb"^X-Spam-Verdict: (-?[\d.]+) ([^\r\n]*)", re.MULTILINE)
_PROCESSES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a mail scores; `rules` are those that it hit, with what each adds."""

    score: float
    rules: str


def judged(mails: Mapping[str, bytes], folder: Path) -> dict[str, Verdict]:
    """Give the verdict on each mail by its name. `folder` is empty, and ours."""
    shares = [list(mails)[start::_PROCESSES] for start in range(_PROCESSES)]
    for name, content in mails.items():
        (folder / name).write_bytes(content)
    with ThreadPoolExecutor() as threads:
        verdicts = threads.map(lambda share: _verdicts(share, folder), filter(None, shares))
        return {name: verdict for share in verdicts for name, verdict in share}


def _verdicts(names: Sequence[str], folder: Path) -> list[tuple[str, Verdict]]:
    settings = [f"--cf={line}" for line in _SETTINGS]
    done = subprocess.run(  # noqa: S603  (the package's program, and files of ours)
        [
            str(PROGRAM),
            "--local",
            "--nocreate-prefs",
            f"--configpath={_RULES}",
            "--prefspath=/dev/null",
            *settings,
            *names,
        ],
        cwd=folder,
        env=os.environ | {"HOME": str(folder)},
        check=True,
        capture_output=True,
    )
    found = [Verdict(score=float(score), rules=rules.decode()) for score, rules in _VERDICT.findall(done.stdout)]
    return list(zip(names, found, strict=True))
