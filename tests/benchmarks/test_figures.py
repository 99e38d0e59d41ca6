"""Figures: when a goal is met, and what is kept of one that could not be measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest

from tests.benchmarks.figures import Figure, show

if TYPE_CHECKING:
    from collections.abc import Sequence


def figure(rounds: Sequence[float], better: Literal["higher", "lower"], *, missing: str | None = None) -> Figure:
    return Figure(name="a.ratio", rounds=rounds, goal=4, better=better, unit="ratio", missing=missing)


@pytest.mark.parametrize(
    ("rounds", "better", "is_met"),
    [
        ([1, 4, 9], "higher", True),
        ([1, 3.9, 9], "higher", False),
        ([1, 4, 9], "lower", True),
        ([1, 4.1, 9], "lower", False),
        ([], "higher", False),
        ([], "lower", False),
    ],
)
def test_the_median_meets_the_goal_or_not(
    rounds: Sequence[float], better: Literal["higher", "lower"], *, is_met: bool
) -> None:
    assert figure(rounds, better).is_met is is_met


def test_a_figure_without_a_goal_is_only_told(capsys: pytest.CaptureFixture[str]) -> None:
    lone = Figure(name="a.time", rounds=[1, 2, 3], goal=None, better="lower", unit="seconds")
    show([lone])

    assert lone.is_met
    assert capsys.readouterr().out.splitlines()[1].split() == ["a.time", "2.00", "1.00", "3.00", "-", "-"]


def test_a_missing_peer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    lone = figure([], "lower", missing="nodemailer: there is no npm")
    show([lone])

    assert json.loads(json.dumps(lone.as_json()))["missing"] == "nodemailer: there is no npm"
    assert "nodemailer: there is no npm" in capsys.readouterr().out
