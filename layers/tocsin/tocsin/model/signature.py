"""Signatures: the HTML that an admin writes, cut down to what every reader of mail may be shown, and its text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_BREAKS = frozenset({"blockquote", "br", "div", "h1", "h2", "h3", "hr", "li", "ol", "p", "table", "tr", "ul"})
_TAGS = _BREAKS | {
    *("a", "b", "code", "em", "i", "img", "s", "small", "span", "strong", "sub", "sup", "u"),
    *("tbody", "td", "th", "thead"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
    "*": {"style"},
}
_STYLES = frozenset(
    {
        *("background-color", "color", "border", "border-radius", "height", "margin", "padding", "width"),
        *("font-family", "font-size", "font-style", "font-weight", "line-height"),
        *("text-align", "text-decoration", "vertical-align"),
    }
)
_SCHEMES = frozenset({"https", "mailto", "tel"})


def sanitised(written: str) -> str:
    """The HTML without all that is not known to be harmless; text without markup keeps its lines."""
    import nh3  # noqa: PLC0415  only who saves a signature needs it

    if "<" not in written:
        written = html.escape(written, quote=False).replace("\n", "<br>")
    return nh3.clean(
        written,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        link_rel="noopener noreferrer",
        url_relative="deny",
    ).strip()


def text_of(sanitised_html: str) -> str:
    """The signature for readers of plain text: its words, line by line, and where its links lead."""
    reader = _Reader()
    reader.feed(sanitised_html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects words, with a line end around each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Break the line, or remember where a link leads."""
        given = dict(attrs)
        if tag in _BREAKS:
            self.parts.append("\n")
        if tag == "img":
            self.parts.append(given.get("alt") or "")
        if tag == "a":
            self._links.append((given.get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        """End a block, or tell where a link leads, unless its words do."""
        if tag == "a" and self._links:
            target, begun = self._links.pop()
            shown = target.removeprefix("mailto:").removeprefix("tel:")
            if shown and shown not in "".join(self.parts[begun:]):
                self.parts.append(f" ({shown})")
        elif tag in _BREAKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.parts.append(re.sub(r"\s+", " ", data))
