"""Values are made fit to show before any template sees them."""

from __future__ import annotations

import pytest
from tocsin.compose.values import many_lines, one_line, presentable
from tocsin.model.notifications.parts import Occurrence


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a \t b\r\nc ", "a b c"),
        ("a\x00\x07\x7f\x9bb", "ab"),
        ("a\u2028b\x85c\x0cd", "a b c d"),
        ("a\ud800b", "a\ufffdb"),
        ("\u202ea\u2066", "a"),
        ("👩‍🚒 é", "👩‍🚒 é"),
    ],
)
def test_a_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_texts_without_controls_are_read_as_those_with_them() -> None:
    assert [c for c in map(chr, range(0x1_1000)) if one_line(f"a{c} b") != one_line(f"a{c} b\x00")] == []


@pytest.mark.parametrize(
    ("text", "lines"), [("a\r\nb\rc\nd", "a\nb\nc\nd"), ("a\x00\tb\u2029c", "a\tb\nc"), ("\n\na\n\n", "a")]
)
def test_a_text_keeps_its_lines(text: str, lines: str) -> None:
    assert many_lines(text) == lines


@pytest.mark.parametrize(
    "text",
    ["\u200b", "\u2060\ufeff", "\u00a0\u200d \u3000", "\u061c\u200e\u200f", "\u3164\u115f", "\u2800", "\u00ad\u034f"],
    ids=ascii,
)
def test_what_cannot_be_seen_is_no_text(text: str) -> None:
    assert one_line(text) == many_lines(f"{text}\n{text}") == ""
    assert one_line(f"{text}a").endswith("a")
    assert presentable(Occurrence(id="1", title=text, severity=text, description=text))["title"] == "(no title)"


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
    assert one_line("x" * 100_000, limit=10) == "x" * 9 + "…"
    assert one_line("x" * 10, limit=10) == "x" * 10
    assert len(many_lines("x" * 1_000_000)) == 20_000


def test_parts_become_presentable_by_what_they_are() -> None:
    occurrence = Occurrence(
        id="1", title="a\nb", description="a\nb", url="javascript:alert(1)", acknowledge_url="https://x.org/a b",
        resources=("a\n", "\x00", "b"), severity="\x00",
    )  # fmt: skip

    shown = presentable(occurrence, exclude={"declared_at"})

    assert (shown["title"], shown["description"]) == ("a b", "a\nb")
    assert (shown["url"], shown["acknowledge_url"]) == (None, "https://x.org/a%20b")
    assert (shown["resources"], shown["severity"], shown["number"]) == (["a", "b"], None, None)
    assert "declared_at" not in shown
