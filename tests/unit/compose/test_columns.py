"""Facts side by side in plain text."""

from __future__ import annotations

import pytest
from tocsin.compose.columns import columns, has_long_word, underlined


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ([], ""),
        ([("State", None), ("Affected", []), ("Note", "")], ""),
        ([("A", "1"), ("Longer", ["2", "3"]), ("Gone", None)], "A:       1\nLonger:  2\n         3"),
        ([("原因", "x"), ("ab", ["y", "z"])], "原因:  x\nab:    y\n       z"),
        ([("e\u0301", "x"), ("ab", "y")], "e\u0301:   x\nab:  y"),
        ([("x" * 40, "1"), ("y", "2")], f"{'x' * 40}:  1\ny:{' ' * 22}  2"),
    ],
    ids=["none", "no values", "several lines", "wide", "combining", "long label"],
)
def test_values_stand_below_one_another(facts: list[tuple[str, str | list[str] | None]], text: str) -> None:
    assert columns(facts) == text


@pytest.mark.parametrize(("heading", "width"), [("Root cause", 10), ("根本原因", 8), ("x" * 500, 72)])
def test_a_heading_has_a_line_of_its_width(heading: str, width: int) -> None:
    assert underlined(heading, "=") == f"{heading}\n{'=' * width}"


@pytest.mark.parametrize(
    ("cell", "has"),
    [
        ("Acknowledged by Ana on Saturday", False),
        ("status_page.incident_created", True),
        ("決済が止まっている", True),
        ("", False),
        (4, False),
        (None, False),
    ],
)
def test_a_word_is_long_where_a_narrow_cell_has_to_break_it(cell: object, *, has: bool) -> None:
    assert has_long_word(cell) is has
