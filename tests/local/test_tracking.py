"""A project that counts opens and clicks sees them, with the real functions behind the real addresses."""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.oauth2_demo import oauth2_account
from local.samples import publish
from tests.local.events import arrived, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

PROJECT_ID, RECIPIENT = "tracked", "tracked@example.org"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
SECONDS = 60


def test_a_reader_is_counted_and_led_on(local: Local) -> None:
    _make_project(local)
    sample = new_event(RECIPIENT)
    sample.event["data"]["project"]["id"] = PROJECT_ID
    page = sample.event["data"]["incident"]["url"]
    publish([sample], local.stack)
    [arrival] = wait_until(lambda: arrived([sample], local), "the mail")
    assert arrival.mail is not None
    html = str(arrival.mail.message.get_body(("html",)).get_content())  # type: ignore[union-attr]  # it has one

    address = _only(rf'src="({local.surroundings.front.url}/t/[^"]+)"', html)
    picture = requests.get(address, headers=BROWSER, timeout=SECONDS)
    links = [_follow(link) for link in re.findall(rf'href="({local.surroundings.front.url}/l/[^"]+)"', html)]

    assert (picture.status_code, picture.headers["Content-Type"]) == (HTTPStatus.OK, "image/gif")
    assert picture.content.startswith(b"GIF89a")
    assert page in {link.headers["Location"] for link in links}
    assert {link.status_code for link in links} == {HTTPStatus.FOUND}
    story = _story(local)
    assert (story["opens"] + story["machine_opens"], story["clicks"] + story["machine_clicks"]) == (1, len(links))


def _only(pattern: str, html: str) -> str:
    [found] = re.findall(pattern, html)
    return unescape(found)


def _follow(link: str) -> requests.Response:
    return requests.get(unescape(link), headers=BROWSER, timeout=SECONDS, allow_redirects=False)


def _make_project(local: Local) -> None:
    project = {"name": "Tracked", "tracking": {"opens": True, "clicks": True}}
    _ask(local, "PUT", "", project, **{"If-None-Match": "*"})
    account = oauth2_account(local.surroundings)
    account["auth"] = {"type": "password", "username": local.inbox.username, "password": local.inbox.password}
    account_id = _ask(local, "POST", "/mail-accounts", account)["id"]
    _ask(local, "PUT", "", project | {"default_mail_account_id": account_id}, **{"If-Match": "*"})


def _story(local: Local) -> dict[str, Any]:
    [delivery] = _ask(local, "GET", f"/deliveries?recipient={RECIPIENT}")["items"]
    return _ask(local, "GET", f"/deliveries/{delivery['delivery_id']}")


def _ask(
    local: Local, method: str, path: str, document: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    token = local.surroundings.identity_provider.admin_token()
    answer = requests.request(
        method,
        f"{local.surroundings.front.url}/projects/{PROJECT_ID}{path}",
        json=document,
        headers={"Authorization": f"Bearer {token}", **headers},
        timeout=SECONDS,
    )
    assert answer.ok, answer.text
    content: dict[str, Any] = answer.json()
    return content
