"""HTML whose elements are not nested beyond all reason: to clean it takes time by its depth, squared."""

from __future__ import annotations

import re
from collections import Counter

MOST_LEVELS = 100
"""Mails laid out by tables within tables have some forty."""

_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*+)[^>]*+>")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_ITEMS = ("li", "dt", "dd")
_CELLS = ("td", "th")
_SECTIONS = ("caption", "colgroup", "tbody", "tfoot", "thead")
_ENDED_BY = {
    "p": frozenset({"p"}),
    **dict.fromkeys(_ITEMS, frozenset({"p", *_ITEMS})),
    **dict.fromkeys(_CELLS, frozenset({"p", *_ITEMS, *_CELLS})),
    "tr": frozenset({"p", *_ITEMS, *_CELLS, "tr"}),
    **dict.fromkeys(_SECTIONS, frozenset({"p", *_ITEMS, *_CELLS, "tr", *_SECTIONS})),
}
"""Which elements, where their end tags are left out, end before one begins."""


def shallow(html: str) -> str:
    """Leave out the tags of what lies deeper, but not its words; other HTML stays as it is.

    What is a tag, and what it ends, is an estimate: this makes nothing harmless.
    """
    if html.count("<") <= MOST_LEVELS:
        return html
    end = html.rfind(">") + 1  # to look for the ends of tags that have none takes long
    return _TAG.sub(_Levels().kept, html[:end]) + html[end:]


class _Levels:
    """The elements that are open, the outermost first."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()

    def kept(self, tag: re.Match[str]) -> str:
        """Give the tag, or nothing where it lies too deep."""
        name = tag[2].lower()
        if tag[1]:
            return tag[0] if self._end(name) else ""
        while self._open and self._open[-1] in _ENDED_BY.get(name, ()):
            self._end(self._open[-1])
        if name not in _VOID:
            self._open.append(name)
            self._counts[name] += 1
        return tag[0] if len(self._open) <= MOST_LEVELS else ""

    def _end(self, name: str) -> bool:
        """End the innermost element of that name, and all within it; whether its tags are kept."""
        while self._counts[name]:
            ended = self._open.pop()
            self._counts[ended] -= 1
            if ended == name:
                break
        return len(self._open) < MOST_LEVELS
