"""The HTML of custom templates, cut down to what mail programs show and nobody is harmed by, in the house's looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nh3

from tocsin.compose.html_depth import shallow
from tocsin.compose.styles import ELEMENTS, styles
from tocsin.compose.values import clean_lines
from tocsin.model.custom_template import BrokenTemplate

if TYPE_CHECKING:
    from collections.abc import Collection

_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("hr", "i", "img", "ins", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "u", "ul"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr"),
}
_CELL = {"align", "valign", "width", "height", "bgcolor", "colspan", "rowspan"}
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "role", "width"},
    "td": _CELL,
    "th": _CELL | {"scope"},
    "tr": {"align", "valign", "bgcolor"},
}
_BOX = [f"{name}{side}" for name in ("margin", "padding") for side in ("", "-top", "-right", "-bottom", "-left")]
_BORDERS = [f"border{side}" for side in ("", "-top", "-right", "-bottom", "-left", "-collapse", "-radius", "-color")]
_STYLES = {
    *_BOX,
    *_BORDERS,
    *("background-color", "color", "direction", "height", "max-width", "width", "list-style-type", "vertical-align"),
    *("font-family", "font-size", "font-style", "font-weight", "letter-spacing", "line-height", "overflow-wrap"),
    *("text-align", "text-decoration", "text-indent", "text-transform", "white-space", "word-break"),
}
_TEXTS = frozenset({"href", "src", "alt", "title"})  # attributes that may hold whatever is escaped
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_HEADINGS = {
    "h1": "margin:0 0 12px;font-size:22px;line-height:30px;",
    "h2": "margin:0 0 8px;font-size:17px;line-height:25px;",
}
"""Larger than in Markdown, where they stand below a mail's own."""

_ELEMENT = re.compile(rf'<({"|".join(ELEMENTS)})((?: [a-z]+="[^"]*")*)>')  # as nh3 writes them


def harmless(rendered: str, stand_ins: Collection[str]) -> str:
    """The fragment without scripts, forms, styles of the whole page and the like; what is left is well-formed.

    Raises:
        BrokenTemplate: what a recipient's own value stands for would become a part of a style, a width or the like,
            where escaping does not help.
    """
    misplaced: list[str] = []

    def kept(tag: str, name: str, value: str) -> str | None:
        if name not in _TEXTS and any(one in value for one in stand_ins):
            misplaced.append(name)
        return _attribute(tag, name, value)

    fragment = nh3.clean(
        shallow(rendered),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=kept,
        url_schemes=_SCHEMES,
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer",
        url_relative="deny",
    )
    if misplaced:
        raise BrokenTemplate(f"a value of the recipient's own stands in the attribute {misplaced[0]}", part="html")
    return clean_lines(fragment)


def with_looks(fragment: str) -> str:
    """The fragment with the house's style on each element that mails have, and that has none of its own."""
    return _ELEMENT.sub(_styled, fragment)


def _styled(element: re.Match[str]) -> str:
    name, attributes = element.groups()
    if ' style="' in attributes:
        return element[0]
    return f'<{name} style="{_HEADINGS.get(name) or styles()[f"markdown {name}"]}"{attributes}>'


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Images come by https or with the mail, or not at all: others are a warning in most programs."""
    if tag == "img" and name == "src" and not value.startswith(("https://", "cid:")):
        return None
    return value
