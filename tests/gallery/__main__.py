"""`python -m tests.gallery [--locale LOCALE] [TYPE ...]`: picture the mail of every sample, into `.gallery/`."""

from __future__ import annotations

import argparse
import json
import shutil
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTPUTF8
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright
from tocsin.compose.composer import Composer
from tocsin.compose.reader import LANGUAGES
from tocsin.model.branding import Branding, Look
from tocsin.model.event import check_event
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE

from tests.gallery.page import Picture, Shown, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from playwright.sync_api import Browser, Route

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".gallery"
SAMPLES = ROOT / "events" / "notifications"
WIDTHS = (360, 800)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_COMPOSER = Composer()
_SENDER = Sender(name="Acme Ops", email="ops@acme.example")
_LOOK = Look(branding=Branding(logo_url="https://acme.example/logo.png"))
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32"><circle cx="16" cy="16" r="14" fill="#175cd3"/>'
    '<text x="38" y="22" font-family="sans-serif" font-size="18" fill="#101828">Acme</text></svg>'
)


def main() -> None:
    """Compose, picture, and write the page that shows it all."""
    arguments = _arguments()
    types = arguments.types or list(CATALOGUE)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
        shown = [_shown(browser, type_, arguments.locale) for type_ in types]
        browser.close()
    (FOLDER / "index.html").write_text(page(shown), encoding="utf-8")
    print(*(f"{each.type:44} {each.html_octets:6} {each.text_octets:6}" for each in shown), sep="\n")  # noqa: T201
    print(FOLDER / "index.html")  # noqa: T201  (it is a command)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make gallery", description=__doc__)
    parser.add_argument("--locale", default="en", help=f"one of {', '.join(LANGUAGES)}, with or without a region")
    parser.add_argument("types", nargs="*", choices=[[], *CATALOGUE], metavar="TYPE")
    return parser.parse_args()


def _chromium() -> str:
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        raise SystemExit("there is no Chromium on this machine (Debian: apt-get install chromium)")
    return path


def _shown(browser: Browser, type_: str, locale: str) -> Shown:
    subject, text, html = _mail(type_, locale)
    file = FOLDER / f"{type_}.html"
    file.write_text(html, encoding="utf-8")
    return Shown(
        type=type_,
        subject=subject,
        text=text,
        html_octets=len(html.encode()),
        text_octets=len(text.encode()),
        pictures=list(_pictures(browser, file)),
    )


def _mail(type_: str, locale: str) -> tuple[str, str, str]:
    """Subject, text and HTML of the sample for its first recipient."""
    notification = check_event(json.loads((SAMPLES / f"{type_}.json").read_text(encoding="utf-8")))
    mail = _COMPOSER.compose(
        notification,
        (notification.data.recipients or ())[0].model_copy(update={"locale": locale}),
        sender=_SENDER,
        message_id="<1@acme.example>",
        thread_root="<0@acme.example>",
        at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        look=_LOOK,
    )
    message = message_from_bytes(mail.content, policy=SMTPUTF8)
    text, html = (part.get_content() for part in message.iter_parts())
    for file in notification.data.options.attachments:  # a page cannot ask for them by content id, as a mail can
        html = html.replace(
            f'src="cid:{file.content_id}"', f'src="data:{file.content_type};base64,{file.content_base64}"'
        )
    return str(message["Subject"]), text, html


def _pictures(browser: Browser, file: Path) -> Iterator[Picture]:
    for scheme in SCHEMES:
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 400}, color_scheme=scheme)
            opened = context.new_page()
            opened.route("http*://**/*", _answer)
            opened.goto(file.as_uri())
            picture = f"{file.stem}.{width}.{scheme}.png"
            opened.screenshot(path=FOLDER / picture, full_page=True)
            overflow = opened.evaluate("document.documentElement.scrollWidth") - width
            context.close()
            yield Picture(file=picture, width=width, scheme=scheme, overflow=max(overflow, 0))


def _answer(route: Route) -> None:
    """Stand in for every picture in the network, which nothing here may reach."""
    route.fulfill(body=_LOGO, content_type="image/svg+xml")


if __name__ == "__main__":
    main()
