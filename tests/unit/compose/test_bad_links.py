"""No link that is none gets into a mail: not from any URL field of any type, nor from its texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.branding import Branding, Look
from tocsin.model.notification import CATALOGUE, Notification
from tocsin.model.signed_token import LinkKey
from tocsin.model.tracked_links import TrackedLinks
from tocsin.model.tracking import Tracking

from tests.unit.compose.mails import AT, Mail, composed, read, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD = [
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "&#106;avascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "//eve.example/",
    "https:eve.example",
    "https://user:secret@eve.example/",
    "https://good.example\\@eve.example/",
    "https://[::1",
    "https://eve.example:99999/",
    "https://eve.example/\r\nBcc: eve@eve.example",
    "https:// eve.example/",
    "mailto:eve@eve.example",
]
"""What no URL field may hold."""

ODD = [
    'https://eve.example/" onmouseover="alert(1)',
    "https://eve.example/'><script>alert(1)</script>",
    "https://eve.example/?q={{ 7*7 }}&r=<b>",
]
"""What may stand in a link when it is written as a link."""

_TEXTS = {"description", "root_cause", "remediation", "body", "footer", "old", "new"}
_LOADED = {"action", "background", "cite", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href"}
_GOOD = re.compile(r"(?:https?://|cid:)[!#-;=?-~]+")  # ASCII, and nothing that ends an attribute or an element
_LINKS = TrackedLinks(
    tracking=Tracking(opens=True, clicks=True),
    base_url="https://tocsin.example",
    key=LinkKey(b"k" * 32),
    project_id="acme",
    delivery_id="d",
    since=AT,
)


class _Page(HTMLParser):
    """Keeps where a page leads, and what it loads or runs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.active: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element's."""
        self.addresses += [value or "" for name, value in attrs if name in _LOADED]
        self.active += [name for name, _ in attrs if name.startswith("on")]
        self.active += [tag] * (tag in {"script", "iframe", "object", "embed", "base", "form", "link"})


def _with(part: Any, urls: Iterator[str], texts: Iterator[str] | None = None) -> Any:  # noqa: ANN401  (JSON)
    """`part` with each of its URLs, and each of its texts, replaced by the next one."""
    match part:
        case dict():
            return {name: _replaced(name, value, urls, texts) for name, value in part.items()}
        case list():
            return [_with(one, urls, texts) for one in part]
    return part


def _replaced(name: str, value: Any, urls: Iterator[str], texts: Iterator[str] | None) -> Any:  # noqa: ANN401  (JSON)
    if name == "url" or name.endswith("_url"):
        return next(urls)
    if texts is not None and name in _TEXTS and isinstance(value, str):
        return next(texts)
    return _with(value, urls, texts)


def _rotated(values: list[str], start: int) -> Iterator[str]:
    return (values[number % len(values)] for number in count(start))


def _mails(event: dict[str, Any], logo: str) -> list[Mail]:
    """The mail of the event's first recipient, who has links to leave and to manage, untracked and tracked."""
    event["data"]["recipients"] = [{"unsubscribe_url": logo, "manage_url": logo} | event["data"]["recipients"][0]]
    data = CATALOGUE[event["type"]].model_validate(event["data"])
    notification = Notification(source="/test", id="1", type=event["type"], time=AT, subject=None, data=data)
    [recipient] = data.recipients or ()
    look = Look(branding=Branding(logo_url=logo))
    return [read(composed(notification, recipient, look=look, links=links)) for links in (None, _LINKS)]


@pytest.mark.parametrize("event_type", CATALOGUE)
@pytest.mark.parametrize("round_", range(3))
def test_a_url_field_with_anything_else_becomes_no_link(event_type: str, round_: int) -> None:
    event = _with(sample(event_type), _rotated(BAD, round_ * 6))

    for mail in _mails(event, BAD[round_]):
        page = _Page(mail.html)
        assert [one for one in page.addresses if "eve" in one or not _GOOD.fullmatch(one)] == []
        assert page.active == []
        assert "List-Unsubscribe" not in mail.message
        assert "eve.example" not in mail.text


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_a_link_with_quotes_and_brackets_stays_within_its_quotes(event_type: str) -> None:
    for mail in _mails(_with(sample(event_type), _rotated(ODD, 0)), ODD[0]):
        page = _Page(mail.html)
        assert [one for one in page.addresses if not _GOOD.fullmatch(one)] == []
        assert page.active == []


_MARKDOWN = "[a]({0}) [b](<{0}>) <{0}> ![c]({0})\n\n[d]: {0}\n\n[d] [[e]({0})]({0}) <a href='{0}'>f</a>"


@pytest.mark.parametrize("bad", [one for one in BAD if ":" in one and not one.startswith(("https", "mailto"))])
def test_a_text_links_to_web_pages_and_mailboxes_only(bad: str) -> None:
    for event_type in ("incident.created", "incident.updated", "status_page.incident_postmortem"):
        event = _with(sample(event_type), _rotated(["https://good.example/"], 0), _rotated([_MARKDOWN.format(bad)], 0))

        for mail in _mails(event, "https://good.example/"):
            page = _Page(mail.html)
            assert [one for one in page.addresses if not _GOOD.fullmatch(one.removeprefix("mailto:"))] == []
            assert page.active == []
