"""What the command says while it works: plain lines, the same with and without a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.arrivals import Arrival

COLUMNS = ("type", "recipient", "subject", "state")


class Progress:
    """Says each step with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """One line, at once."""
        print(f"{time.monotonic() - self._started:6.1f} s  {text}", flush=True)


def arrivals_table(arrivals: Iterable[Arrival]) -> str:
    """A table of what arrived, one line per recipient."""
    rows = [COLUMNS, *(_row(arrival) for arrival in arrivals)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _row(arrival: Arrival) -> tuple[str, str, str, str]:
    subject = arrival.mail.subject if arrival.mail else "(no mail)"
    return arrival.sample, arrival.recipient, subject, arrival.state or "(not in the journal)"
