"""Parsed Markdown as plain text. Walks the tokens without recursion, since emphasis can nest thousands deep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.compose.columns import width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it.token import Token

_WIDEST_CELL = 24
_MOST_ALIGNED_ROWS = 50  # aligned, a table of many short rows would grow out of hand


def plain_text(tokens: Sequence[Token]) -> str:
    """Write the blocks one below the other, with list markers and `>` kept and code indented."""
    page = _Page()
    for token in tokens:
        page.take(token)
    return "\n".join(page.lines)


class _Page:
    """The lines so far, and what stands before the next one.

    Each entry of `indents` is a pair: what its next line begins with, and all lines after that.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._indents: list[tuple[str, str]] = []
        self._rows: list[list[str]] | None = None
        self._blocks: dict[str, Callable[[Token], None]] = {
            "inline": self._inline,
            "fence": self._code,
            "code_block": self._code,
            "hr": lambda _: self._separate_and_write("----"),
            "blockquote_open": lambda _: self._indents.append(("> ", "> ")),
            "list_item_open": self._item,
            "table_open": lambda _: self._start_table(),
            "tr_open": lambda _: self._start_row(),
            "table_close": lambda _: self._end_table(),
        }

    def take(self, token: Token) -> None:
        if token.type in {"list_item_close", "blockquote_close"}:
            self._indents.pop()
        elif token.block and token.nesting == 1 and not token.hidden and self._stands_apart(token):
            self._separate()
        if token.type in self._blocks:
            self._blocks[token.type](token)

    def _stands_apart(self, token: Token) -> bool:
        lists = token.type in {"bullet_list_open", "ordered_list_open"}
        return token.type in {"paragraph_open", "heading_open", "table_open"} or (lists and token.level == 0)

    def _item(self, token: Token) -> None:
        marker = f"{token.info}{token.markup} " if token.info else "- "
        self._indents.append((marker, " " * len(marker)))

    def _inline(self, token: Token) -> None:
        text = _inline_text(token.children or ())
        if self._rows:
            self._rows[-1].append(text)
        else:
            self._write(text)

    def _code(self, token: Token) -> None:
        self._separate_and_write("\n".join(f"    {line}" for line in token.content.rstrip("\n").split("\n")))

    def _start_table(self) -> None:
        self._rows = []

    def _start_row(self) -> None:
        if self._rows is not None:
            self._rows.append([])

    def _end_table(self) -> None:
        rows, self._rows = self._rows or [], None
        for line in _table(rows):
            self._write(line)

    def _separate_and_write(self, text: str) -> None:
        self._separate()
        self._write(text)

    def _separate(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def _write(self, text: str) -> None:
        for line in text.split("\n"):
            self.lines.append(("".join(first for first, _ in self._indents) + line).rstrip())
            self._indents = [(rest, rest) for _, rest in self._indents]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table, whose rows are of one length, with a line below its head."""
    is_aligned = len(rows) <= _MOST_ALIGNED_ROWS
    widths = [min(max(map(width, column)), _WIDEST_CELL) if is_aligned else 1 for column in zip(*rows, strict=True)]
    lines = [" | ".join(map(_padded, row, widths)) for row in rows]
    return [*lines[:1], "-+-".join("-" * wide for wide in widths), *lines[1:]]


def _padded(cell: str, wide: int) -> str:
    return cell + " " * (wide - width(cell))


def _inline_text(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    links: list[tuple[str, int]] = []  # where it leads, and where its words begin
    for token in tokens:
        if token.type == "link_open":
            links.append((str(token.attrs["href"]), len(parts)))
        elif token.type == "link_close":
            url, start = links.pop()
            if "".join(parts[start:]) not in {url, url.removeprefix("mailto:")}:
                parts.append(f" ({url})")
        else:
            parts.append("\n" if token.type in {"softbreak", "hardbreak"} else token.content)
    return "".join(parts)
