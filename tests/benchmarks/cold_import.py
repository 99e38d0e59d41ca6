"""Cold start: what loading `deliver` costs beside a naive sample, both from the folders and with the .pyc of Lambda.

The time is that of imports and clients in a fresh process whose files the operating system has in memory, so it is CPU
time and nothing else, and counted as such: a neighbour on the machine does not lengthen it. That of the interpreter
itself, the same for both, is left out.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.figures import Figure, median_and_range
from tests.built.build import BUILD, LAYERS, ROOT
from tests.contract.template import environment, functions, value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FUNCTION = "DeliverFunction"
_RUNTIME = ROOT / ".tools/function/lib/python3.13/site-packages"
_PROGRAMS = Path(__file__).parent / "cold_start"
_ROUNDS = 15


def measure() -> list[Figure]:
    """Start both by turns, each once before it counts: what the runtime brings is compiled then."""
    ours, naive = partial(_milliseconds, "ours"), partial(_milliseconds, "naive")
    ours(), naive()
    rounds = [(ours(), naive()) for _ in range(_ROUNDS)]
    own, other = zip(*rounds, strict=True)
    print(f"cold import: {median_and_range(own)}; naive sample: {median_and_range(other)}; CPU milliseconds")
    ratios = [one / another for one, another in rounds]
    return [Figure(name="cold_import.vs_naive_sample", rounds=ratios, goal=1.5, better="lower", unit="ratio")]


def _milliseconds(program: str) -> float:
    paths = [_PROGRAMS / "clock.py", _PROGRAMS / f"{program}.py", *_folders()]
    command = [sys.executable, "-I", "-S", *map(str, paths)]
    done = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  (our own)
    return float(done.stdout.splitlines()[-1]) * 1000


def _folders() -> Sequence[Path]:
    """/var/task, /opt/python and /var/runtime; the naive sample finds jinja2 and boto3 where we do."""
    return [BUILD / _FUNCTION, *(BUILD / layer / "python" for layer in LAYERS), _RUNTIME]


def _environment() -> Mapping[str, str]:
    said = {name: value(one) for name, one in environment(functions()[_FUNCTION]).items()}
    return {name: "none" if isinstance(one, dict) else str(one) for name, one in said.items()} | {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }
