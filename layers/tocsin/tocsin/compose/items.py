"""The alerts or incidents of an episode: how many there are, and the first of them in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.occurrence import moment
from tocsin.compose.words import number, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

type Items = Sequence[Mapping[str, Any]] | None
type Row = tuple[tuple[str, str | None], str | None, str]
"""Number and title with their link, the severity, and when it was added."""

_MOST_ROWS = 10


def item_rows(items: Items) -> list[Row]:
    """Give a row for each of the first items."""
    return [_row(dict(item)) for item in (items or ())[:_MOST_ROWS]]


def count_of(items: Items, count: int | None) -> int:
    """Give how many there are, those without a row included."""
    return max(len(items or ()), count or 0)


def items_left(items: Items, count: int | None) -> int:
    """Give how many have no row."""
    return count_of(items, count) - len(item_rows(items))


def _row(item: dict[str, Any]) -> Row:
    title = f"{number(item)} {item['title']}".strip()
    return (title, item["url"]), word(item["severity"] or item["kind"]), ", ".join(moment(item["added_at"]))
