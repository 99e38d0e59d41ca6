"""`python -m tests.benchmarks`: measure everything, print the table, keep the figures."""

from __future__ import annotations

import sys

from tests.benchmarks import compose, refresh
from tests.benchmarks.figures import keep, show


def main() -> int:
    """Measure; the exit status says whether every goal is met."""
    figures = [*compose.measure(), *refresh.measure()]
    show(figures)
    keep(figures)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
