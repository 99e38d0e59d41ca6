"""Whether a mail is sound: as strict readers find it, and with nothing in its HTML that no template put there."""

from __future__ import annotations

import re
from email import message_from_string
from email.errors import NonASCIILocalPartDefect
from email.policy import strict
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.unit.compose.naive import Rendered

_HEADERS = frozenset(
    {
        *("From", "To", "Reply-To", "Subject", "Thread-Topic", "Date", "Message-ID", "In-Reply-To"),
        *("References", "Thread-Index", "Auto-Submitted", "X-Auto-Response-Suppress", "List-Unsubscribe"),
        *("List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Precedence", "MIME-Version", "Content-Type"),
    }
)
_LONGEST_LINE = 998  # RFC 5322 section 2.1.1
_VOID = frozenset({"br", "hr", "img", "meta"})
_ELEMENTS = _VOID | frozenset(
    {
        *("html", "head", "title", "style", "body", "div", "table", "thead", "tbody", "tr", "th", "td", "p"),
        *("span", "a", "b", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre"),
        *("code", "em", "strong", "s"),
    }
)
_ATTRIBUTES = frozenset(
    {
        *("align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "charset", "class", "content"),
        *("dir", "height", "href", "lang", "name", "rel", "role", "scope", "src", "start", "style", "title"),
        *("valign", "width", "xmlns", "xmlns:o"),
    }
)
_LINK = re.compile(r"(?:https?://|mailto:)[!-~]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_sound(content: bytes, rendered: Rendered) -> str:
    """Read a mail back, strictly: it says what was `rendered` for it, and no more. Give what its HTML shows."""
    _check_lines(content)
    message = message_from_string(content.decode(), policy=strict)
    text, html = message.iter_parts()
    defects = [defect for header in message.values() for defect in header.defects]
    assert not [defect for defect in defects if not isinstance(defect, NonASCIILocalPartDefect)]  # RFC 6532 allows it
    assert len(set(message.keys())) == len(message.keys())
    assert set(message.keys()) <= _HEADERS
    assert message["Subject"] == rendered.subject
    assert text.get_content().replace("\r\n", "\n") == rendered.text
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == rendered.html.rstrip("\n")
    for shown in (message["Subject"], rendered.text, rendered.html):
        assert not _CONTROL.search(shown)
    return _seen(rendered.html)


def _seen(html: str) -> str:
    """What a reader sees of a page, which has only elements, attributes and links that it may have, well nested."""
    page = _Page()
    page.feed(html)
    page.close()
    assert not page.open
    return "".join(page.texts)


def _check_lines(content: bytes) -> None:
    lines = content.split(b"\r\n")
    assert content.count(b"\r") == content.count(b"\n") == len(lines) - 1
    assert max(map(len, lines)) <= _LONGEST_LINE
    assert content.endswith(b"\r\n")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS
        for name, value in attrs:
            assert name in _ATTRIBUTES
            assert name not in {"href", "src"} or _LINK.fullmatch(value or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag in _VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "body" in self.open:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        assert data.startswith(("[if mso]>", "[endif]"))
