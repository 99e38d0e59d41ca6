"""Harmless HTML as plain text: its words, with list markers, cells apart, and where its links lead."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from tocsin.compose.values import cut

if TYPE_CHECKING:
    from collections.abc import Callable

_APART = frozenset({"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
_LINES = frozenset({"caption", "center", "dd", "div", "dt", "li", "tr"})
_CELLS = frozenset({"td", "th"})
_BETWEEN_CELLS = "\x1f"  # no text that came with an event holds it
_DEEPEST_INDENT = 10
_TEXT_CHARACTERS = 100_000  # as many as the HTML itself may have


def text_of(html: str) -> str:
    """Write the blocks one below the other; a table's rows are lines."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = "\n".join(map(_line, "".join(reader.parts).split("\n")))
    return cut(re.sub(r"\n{3,}", "\n\n", text).strip("\n"), _TEXT_CHARACTERS)


def _line(written: str) -> str:
    """Set the cells apart, of which there is one where there is no table, and leave out those without words."""
    first, *others = written.split(_BETWEEN_CELLS)
    cells = (first.rstrip(" "), *(other.strip(" ") for other in others))
    return " | ".join(cell for cell in cells if cell)


class _Reader(HTMLParser):
    """Collects words and line ends. `_lists` are the open lists: the number of the next item, or None for a dash."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []
        self._verbatim = 0
        self._begins: dict[str, Callable[[dict[str, str | None]], None]] = {
            "a": lambda given: self._links.append((given.get("href") or "", len(self.parts))),
            "br": lambda _: self._write("\n"),
            "hr": lambda _: self._write("\n\n----\n\n"),
            "img": lambda given: self._write(" ".join((given.get("alt") or "").split())),
            "li": lambda _: self._item(),
            "ol": lambda given: self._lists.append(_number(given.get("start"))),
            "ul": lambda _: self._lists.append(None),
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where the element begins one."""
        self._break(tag)
        self._verbatim += tag == "pre"
        if tag in self._begins:
            self._begins[tag](dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """End a line, a cell or a list, or tell where a link leads, unless its words do."""
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in _CELLS:
            self._write(_BETWEEN_CELLS)
        elif tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        self._verbatim -= tag == "pre" and self._verbatim > 0
        self._break(tag)

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        text = data if self._verbatim else re.sub(r"\s+", " ", data)
        self._write(text.lstrip(" ") if self._is_at_line_start() and not self._verbatim else text)

    def _break(self, tag: str) -> None:
        if tag in _APART and not (tag in {"ol", "ul"} and self._lists):
            self._write("\n\n")
        elif tag in _LINES and not self._is_at_line_start():
            self._write("\n")

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if self._lists and number is not None:
            self._lists[-1] = number + 1
        indent = "  " * (min(len(self._lists), _DEEPEST_INDENT) - 1)
        self._write(f"{indent}- " if number is None else f"{indent}{number}. ")

    def _end_link(self, target: str, begun: int) -> None:
        shown = target.removeprefix("mailto:").removeprefix("tel:")
        if shown and shown not in "".join(self.parts[begun:]):
            self._write(f" ({shown})")

    def _is_at_line_start(self) -> bool:
        return not self.parts or self.parts[-1].endswith("\n")

    def _write(self, text: str) -> None:
        if text:
            self.parts.append(text)


def _number(start: str | None) -> int:
    return int(start) if start is not None and re.fullmatch(r"-?[0-9]{1,6}", start) else 1
