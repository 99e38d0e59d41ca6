"""Markdown, the safe subset: to HTML without raw HTML, and to plain text. Pictures come with the mail or not at all."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from tocsin.compose.plain_text import plain_text
from tocsin.compose.values import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_LINK = re.compile(r"(?:https?://|mailto:|cid:)[^\s]+", re.IGNORECASE)
_PICTURE = "cid:"  # RFC 2392
_NESTING = 50  # what lies deeper is left out
_MOST_BRACKETS = 1_000  # each may begin a link, and to look for the ends of many more takes seconds
_KEPT = 64  # every recipient of a notification gets the same texts


@lru_cache(maxsize=_KEPT)
def markdown_to_html(text: str, pictures: frozenset[str] = frozenset()) -> Markup:
    """Render `text`. HTML in it is shown, not obeyed; of pictures, those with these content ids are shown."""
    html = _parser_for(text).render(text, {"pictures": pictures})
    return Markup(html)  # noqa: S704  (the parser escapes everything it did not make itself)


@lru_cache(maxsize=_KEPT)
def markdown_to_text(text: str) -> str:
    """Render `text` for readers without HTML: links as `words (URL)`, code indented."""
    return plain_text(_parser_for(text).parse(text))


def _parser_for(text: str) -> MarkdownIt:
    return _parser(links=text.count("[") <= _MOST_BRACKETS)


@cache
def _parser(*, links: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415  (80 ms that a mail without Markdown need not wait for)

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _NESTING})
    parser.enable(["table", "strikethrough"]).disable("reference")  # unused, a reference would vanish from the mail
    if not links:
        parser.disable(["link", "image"])
    parser.validateLink = _is_link  # type: ignore[method-assign]  # the documented way to choose the schemes
    parser.add_render_rule("image", _picture)
    parser.core.ruler.push("clean", _clean)
    parser.core.ruler.push("only_pictures_by_cid", _without_links_to_pictures)
    return parser


def _is_link(url: str) -> bool:
    return _LINK.fullmatch(url) is not None


def _picture(_renderer: object, tokens: Sequence[Token], index: int, _options: object, env: Mapping[str, Any]) -> str:
    """Show a picture that the mail brings along; of any other, what it would show."""
    words, source = escape(tokens[index].content), str(tokens[index].attrs["src"])
    content_id = source[len(_PICTURE) :]
    if not source.lower().startswith(_PICTURE) or content_id not in env.get("pictures", ()):
        return str(words)
    return f'<img src="{_PICTURE}{escape(content_id)}" alt="{words}" style="max-width:100%;height:auto;border:0;">'


def _clean(state: StateCore) -> None:
    """Clean what entities stand for, which no look at the source finds."""
    for token in state.tokens:
        if token.type == "fence":
            token.info = ""  # the language, where alone code has any: no mail shows it
        for part in token.children or ():
            part.content = clean_line(part.content)
            part.attrs = {name: clean_line(str(value)) for name, value in part.attrs.items()}


def _without_links_to_pictures(state: StateCore) -> None:
    """Leave only the words of links to `cid:`: there is nothing that a click could open."""
    for token in state.tokens:
        if token.children:
            token.children = _without_such_links(token.children)


def _without_such_links(tokens: Sequence[Token]) -> list[Token]:
    kept: list[Token] = []
    left_out: list[bool] = []  # of each link that is open
    for token in tokens:
        if token.type == "link_open":
            left_out.append(str(token.attrs["href"]).lower().startswith(_PICTURE))
            is_left_out = left_out[-1]
        elif token.type == "link_close":
            is_left_out = left_out.pop()
        else:
            is_left_out = False
        if not is_left_out:
            kept.append(token)
    return kept
