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
    """One metric over its rounds. `better` says on which side of the goal it is met."""

    name: str
    rounds: Sequence[float]
    goal: float
    better: Literal["higher", "lower"]
    unit: str

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def is_met(self) -> bool:
        """Whether the median meets the goal."""
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal

    def as_json(self) -> dict[str, float | str]:
        """The figure as `.bench/results.json` holds it."""
        return {
            "value": self.value,
            "goal": self.goal,
            "min": min(self.rounds),
            "max": max(self.rounds),
            "unit": self.unit,
        }


def show(figures: Sequence[Figure]) -> None:
    """Print a table of the figures."""
    print(f"{'metric':<40} {'median':>9} {'min':>9} {'max':>9} {'goal':>12}  met")
    for figure in figures:
        sign = ">=" if figure.better == "higher" else "<="
        spread = f"{figure.value:>9.2f} {min(figure.rounds):>9.2f} {max(figure.rounds):>9.2f}"
        print(f"{figure.name:<40} {spread} {sign:>4} {figure.goal:>7g}  {'yes' if figure.is_met else 'NO'}")


def keep(figures: Sequence[Figure]) -> None:
    """Write the figures to `.bench/results.json`."""
    RESULTS.parent.mkdir(exist_ok=True)
    metrics = {figure.name: figure.as_json() for figure in figures}
    RESULTS.write_text(json.dumps({"metrics": metrics}, indent=2) + "\n", encoding="utf-8")
