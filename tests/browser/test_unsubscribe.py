"""A reader leaves a status page's list by the link in a mail, and comes back by the same page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.samples import publish
from tests.local.events import arrived, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.local.conftest import Local

pytestmark = pytest.mark.local

READER = "reader@example.net"


@pytest.fixture
def link(local: Local) -> str:
    """The link of a mail that arrived."""
    sample = new_event(READER, type_="status_page.announcement")
    publish([sample], local.stack)
    [arrival] = wait_until(lambda: arrived([sample], local), "the mail")
    assert arrival.mail is not None
    return str(arrival.mail.message["List-Unsubscribe"]).strip("<>")


def test_a_reader_is_asked_leaves_and_comes_back(page: Page, link: str) -> None:
    page.goto(link)
    assert _heading(page) == "Unsubscribe from these mails?"
    assert "r…@example.net" in page.get_by_role("main").inner_text()

    page.get_by_role("button", name="Unsubscribe").click()
    assert _heading(page) == "You are unsubscribed"

    page.get_by_role("button", name="Subscribe again").click()
    assert _heading(page) == "You are subscribed again"
    assert page.get_by_role("button", name="Unsubscribe").is_visible()


def test_a_link_that_was_cut_off_is_explained(page: Page, link: str) -> None:
    page.goto(link[:-5])

    assert _heading(page) == "This link does not work"
    assert page.get_by_role("heading", name="What to do").is_visible()


def _heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()
