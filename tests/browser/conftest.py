"""A stack whose access tokens are short-lived, and Chromium."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.api import Api
from tests.local.conftest import Local, built, running_local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["built"]  # a fixture of ours as well

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # containers have none to offer; all pages are ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Where there is none the tests are skipped, but in CI they fail."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("Chromium is needed in CI: .ci/run installs it")
    if path is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def local(
    browser: Browser,  # noqa: ARG001  (wanted first: without one there is nothing to start)
    built: None,  # noqa: ARG001  (the fixture imported above)
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Local]:
    """A stack of our own."""
    with running_local(tmp_path_factory.mktemp("browser")) as local:
        yield local


@pytest.fixture
def api(local: Local) -> Api:
    """The stack's HTTP API, as an admin of the project `acme` uses it."""
    surroundings = local.surroundings
    return Api(url=surroundings.front.url, token=surroundings.identity_provider.admin_token(["acme:admin"]))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that knows nothing yet."""
    context = browser.new_context(viewport={"width": 900, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, tmp_path: Path) -> Iterator[Page]:
    """Its page. What it shows in the end is kept as `page.png`; a complaint of the browser fails the test."""
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert [complaint for complaint in complaints if not _tells_of_a_status(complaint)] == []


def _tells_of_a_status(complaint: str) -> bool:
    """Pages that say what went wrong have a status of 400 or more, which Chromium notes."""
    return complaint.startswith("Failed to load resource: the server responded with a status of 4")
