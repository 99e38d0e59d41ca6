"""`python -m tests.benchmarks [PART ...]`: measure all parts or those named, print the table, keep the figures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.benchmarks import aws_calls, build_and_submit, cold_import, compose, end_to_end, handler, refresh, submission
from tests.benchmarks.figures import keep, show

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = {
    "compose": compose.measure,
    "submission": submission.measure,
    "build_and_submit": build_and_submit.measure,
    "aws_calls": aws_calls.measure,
    "cold_import": cold_import.measure,
    "handler": handler.measure,
    "refresh": refresh.measure,
    "end_to_end": end_to_end.measure,
}


def main(names: Sequence[str]) -> int:
    """Measure; the exit status says whether every goal is met."""
    if unknown := [name for name in names if name not in PARTS]:
        print(f"No such part: {' '.join(unknown)}. There are: {' '.join(PARTS)}.", file=sys.stderr)
        return 2
    figures = [figure for name in names or PARTS for figure in PARTS[name]()]
    show(figures)
    keep(figures)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
