"""The board: every run of every client, shown as one table, and the peers that were missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.peers import MissingPeer
from tests.benchmarks.runs import SMTP_SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.runs import Client, Range, Run


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """What the runs of one row have in common: milliseconds of round trip, connections and the client's name."""

    round_trip: int
    connections: int
    client: str


@dataclass(frozen=True, slots=True)
class Board:
    """Runs clients in the range and keeps what came of it."""

    range_: Range
    runs: defaultdict[Row, list[Run]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[str, str] = field(default_factory=dict)

    def run(self, client: Client, *, mails: int, connections: int = 1, round_trip: int = 0) -> Run | None:
        """Run the client with `mails` on each connection; None where it is missing."""
        try:
            run = self.range_.run(client, mails=mails, connections=connections, round_trip=round_trip)
        except MissingPeer as error:
            self.missing[client.name] = str(error)
            return None
        self.runs[Row(round_trip, connections, client.name)].append(run)
        return run

    def show(self) -> None:
        """Print a row for each client, with medians and spread, and who is missing."""
        print(f"{'ms':>3} {'connections':>11}  {'client':<34} {'mails/s':>8} {'min':>8} {'max':>8}", end="")
        print(f" {'x smtp-source':>14} {'CPU s/1,000':>12}")
        for row in sorted(self.runs):
            print(f"{row.round_trip:>3} {row.connections:>11}  {row.client:<34} {self._measures(row)}")
        for reason in self.missing.values():
            print(f"missing: {reason}")

    def _measures(self, row: Row) -> str:
        rates = [run.rate for run in self.runs[row]]
        base = self.runs.get(Row(row.round_trip, row.connections, SMTP_SOURCE.name))
        ratio = f"{median(rates) / _median_rate(base):.2f}" if base else "-"
        cpu = median(run.cpu_per_thousand for run in self.runs[row])
        return f"{median(rates):>8.1f} {min(rates):>8.1f} {max(rates):>8.1f} {ratio:>14} {cpu:>12.2f}"


def _median_rate(runs: Sequence[Run]) -> float:
    return median(run.rate for run in runs)
