"""Inline styles: what the stylesheet says of a class is written beside it when a template is loaded.

Mail programs drop stylesheets in part or whole. `make publish` has a library work out `_base/styles.json` from
`_base/mail.css`, so that nothing is left to be done for a mail.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import TemplateSyntaxError
from jinja2.ext import Extension
from markupsafe import Markup

from tocsin.compose.markdown import markdown_to_html
from tocsin.compose.reader import current_reader

TEMPLATES = Path(__file__).parent / "templates"
STYLES = TEMPLATES / "_base" / "styles.json"
ELEMENTS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "code", "blockquote", "a")
_ELEMENT = re.compile(rf"(?<!<pre>)<({'|'.join(ELEMENTS)})(?=[ >])")  # as the parser writes them, and no text can
_MOST_ELEMENTS = 200
_KEPT = 64  # every recipient of a notification gets the same texts
CLASSES = re.compile(r'class="([a-z][a-z -]*)"(?: style="([^"]*)")?')


class InlineStyles(Extension):
    """Writes `style` behind each `class` of an HTML template; a style that stands there already is added to it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Give the source with its styles.

        Raises:
            TemplateSyntaxError: a class that `styles.json` does not know.
        """
        if name is None or not name.endswith(".html.j2"):
            return source

        def styled(match: re.Match[str]) -> str:
            classes, own = match.groups()
            if classes not in styles():
                raise TemplateSyntaxError(f"no style for {classes!r}: `make publish`", 1, name, filename)
            style = "".join((styles()[classes], own or ""))
            return f'class="{classes}" style="{style}"' if style else f'class="{classes}"'

        return CLASSES.sub(styled, source)


def markdown_with_styles(text: str) -> Markup:
    """Render Markdown with the styles of its elements, unless they are so many that the mail would grow out of hand."""
    return _with_styles(text, current_reader().pictures)


@lru_cache(maxsize=_KEPT)
def _with_styles(text: str, pictures: frozenset[str]) -> Markup:
    html = markdown_to_html(text, pictures)
    if len(_ELEMENT.findall(html)) > _MOST_ELEMENTS:
        return html
    return Markup(_ELEMENT.sub(_with_style, html))  # noqa: S704  (what was harmless, with styles of our own)


def _with_style(element: re.Match[str]) -> str:
    return f'{element[0]} style="{styles()[f"markdown {element[1]}"]}"'


@cache
def styles() -> dict[str, str]:
    """Give the style of each `class` attribute, and of the elements of Markdown (`markdown p`)."""
    known: dict[str, str] = json.loads(STYLES.read_text(encoding="utf-8"))
    return known
