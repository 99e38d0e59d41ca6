"""Plain text in columns, for readers whose characters may be one or two columns wide."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from tocsin.compose.words import with_colon

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.compose.occurrence import Fact

_WIDEST_LABEL = 24
_LONGEST_WORD = 13  # `acknowledged` and the like are never broken, and a phone has room for four such columns


def columns(facts: Iterable[Fact]) -> str:
    """Write labels and values side by side; a value of several lines goes on below its first."""
    shown = [(with_colon(label), [value] if isinstance(value, str) else value) for label, value in facts if value]
    wide = min(max((width(label) for label, _ in shown), default=0), _WIDEST_LABEL)
    return "\n".join(
        f"{label if line == 0 else '':{max(wide - width(label) + len(label) if line == 0 else wide, 0)}}  {text}"
        for label, texts in shown
        for line, text in enumerate(texts)
    )


def underlined(text: str, line: str = "-") -> str:
    """Write a heading above a line of its width."""
    return f"{text}\n{line * min(width(text), 72)}"


def has_long_word(cell: object) -> bool:
    """Whether a narrow cell has to break a word of what it shows."""
    return max(map(width, str(cell).split()), default=0) > _LONGEST_WORD


def width(text: str) -> int:
    """Count the columns that `text` fills on a screen."""
    return sum(0 if combining(each) else 1 + (east_asian_width(each) in "WF") for each in text)
