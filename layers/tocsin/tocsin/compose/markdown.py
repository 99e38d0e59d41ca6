"""Markdown, the safe subset: to HTML without raw HTML and images, and to plain text."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from tocsin.compose.plain_text import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LINK = re.compile(r"(?:https?://|mailto:)[^\s]+", re.IGNORECASE)
_NESTING = 50  # what lies deeper is left out
_KEPT = 64  # every recipient of a notification gets the same texts


@lru_cache(maxsize=_KEPT)
def markdown_to_html(text: str) -> Markup:
    """Render `text`. HTML in it is shown, not obeyed."""
    return Markup(_parser().render(text))  # noqa: S704  (the parser escapes everything it did not make itself)


@lru_cache(maxsize=_KEPT)
def markdown_to_text(text: str) -> str:
    """Render `text` for readers without HTML: links as `words (URL)`, code indented."""
    return plain_text(_parser().parse(text))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415  (80 ms that a mail without Markdown need not wait for)

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _NESTING})
    parser.enable(["table", "strikethrough"]).disable("reference")  # unused, a reference would vanish from the mail
    parser.validateLink = _is_link  # type: ignore[method-assign]  # the documented way to choose the schemes
    parser.add_render_rule("image", _alternative_text)
    return parser


def _is_link(url: str) -> bool:
    return _LINK.fullmatch(url) is not None


def _alternative_text(_renderer: object, tokens: Sequence[Token], index: int, *_: Any) -> str:  # noqa: ANN401  (the renderer's options)
    return str(escape(tokens[index].content))
