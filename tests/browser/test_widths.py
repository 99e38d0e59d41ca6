"""No mail is wider than a phone, whatever stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.generated import with_text
from tests.unit.compose.mails import mail_of, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

WIDTH = 360
LONG_WORD = "W" * 100


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """A narrow page without a network."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 640}, offline=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("event_type", CATALOGUE)
@pytest.mark.parametrize("locale", ["en", "de"])
def test_a_mail_fits_a_phone(phone: Page, event_type: str, locale: str) -> None:
    event = sample(event_type)
    event["data"]["recipients"][0]["locale"] = locale

    assert _width(phone, mail_of(event).html) <= WIDTH


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_a_mail_of_endless_words_fits_a_phone(phone: Page, event_type: str) -> None:
    assert _width(phone, mail_of(with_text(event_type, LONG_WORD)).html) <= WIDTH


def _width(phone: Page, html: str) -> int:
    """How many pixels a page takes, what reaches beyond the window included."""
    phone.set_content(html, wait_until="domcontentloaded")
    return int(phone.evaluate("document.documentElement.scrollWidth"))
