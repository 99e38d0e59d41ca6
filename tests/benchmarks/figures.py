"""Figures: what was measured, its goal, and how both are shown and kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(".bench/results.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric over its rounds. `better` says on which side of the goal it is met; None: it is only told.

    Without rounds it could not be measured: `missing` then says why, and the goal is not met.
    """

    name: str
    rounds: Sequence[float]
    goal: float | None
    better: Literal["higher", "lower"]
    unit: str
    missing: str | None = None

    @property
    def value(self) -> float | None:
        """The median of the rounds."""
        return median(self.rounds) if self.rounds else None

    @property
    def is_met(self) -> bool:
        """Whether the median meets the goal."""
        if self.value is None:
            return False
        if self.goal is None:
            return True
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal

    def as_json(self) -> dict[str, float | str | None]:
        """The figure as `.bench/results.json` holds it."""
        figure: dict[str, float | str | None] = {
            "value": self.value,
            "goal": self.goal,
            "min": min(self.rounds, default=None),
            "max": max(self.rounds, default=None),
            "unit": self.unit,
        }
        return figure if self.missing is None else figure | {"missing": self.missing}


def show(figures: Sequence[Figure]) -> None:
    """Print a table of the figures."""
    print(f"{'metric':<48} {'median':>9} {'min':>9} {'max':>9} {'goal':>12}  met")
    for figure in figures:
        print(f"{figure.name:<48} {_spread(figure)} {_judgement(figure)}")


def _judgement(figure: Figure) -> str:
    if figure.goal is None:
        return f"{'-':>12}  -"
    sign = ">=" if figure.better == "higher" else "<="
    return f"{sign:>4} {figure.goal:>7g}  {'yes' if figure.is_met else 'NO'}"


def _spread(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.missing or 'not measured':>29}"
    return f"{figure.value:>9.2f} {min(figure.rounds):>9.2f} {max(figure.rounds):>9.2f}"


def keep(figures: Sequence[Figure]) -> None:
    """Write the figures to `.bench/results.json`."""
    RESULTS.parent.mkdir(exist_ok=True)
    metrics = {figure.name: figure.as_json() for figure in figures}
    RESULTS.write_text(json.dumps({"metrics": metrics}, indent=2) + "\n", encoding="utf-8")


def median_and_range(rounds: Sequence[float]) -> str:
    """What was measured in rounds, as a line of text tells it."""
    return f"{median(rounds):.0f} ({min(rounds):.0f} to {max(rounds):.0f})"
