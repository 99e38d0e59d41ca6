"""An admin consents in a browser, and mail goes out by that grant for as long as it is renewed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.oauth2_demo import oauth2_account
from local.samples import Sample, publish
from tests.browser.time_passing import let_token_lapse
from tests.browser.walk import decide
from tests.local.events import arrived, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.api import Api
    from tests.local.conftest import Local

pytestmark = pytest.mark.local


@pytest.fixture
def account_id(api: Api, local: Local) -> str:
    """A mail account that has no password: whatever it sends goes by XOAUTH2."""
    return api.create(oauth2_account(local.surroundings))


def test_walk_ends_verified_and_mail_goes_on_when_the_grant_is_renewed(
    page: Page, api: Api, local: Local, account_id: str
) -> None:
    page.goto(api.authorize_url(account_id))
    decide(page)

    assert "verified" in page.get_by_role("main").inner_text().lower()
    assert api.read(account_id)["status"] == "verified"
    _send(local, account_id)
    for _ in range(2):
        let_token_lapse(local.stack, account_id)
        _renew(local)
        _send(local, account_id)
    assert api.read(account_id)["status"] == "verified"


def test_result_page_may_be_loaded_again(page: Page, api: Api, account_id: str) -> None:
    page.goto(api.authorize_url(account_id))
    decide(page)
    text = page.get_by_role("main").inner_text()

    page.reload()

    assert page.get_by_role("main").inner_text() == text


def test_pages_are_plain_and_say_where_one_is(page: Page, api: Api, account_id: str) -> None:
    page.goto(api.authorize_url(account_id))
    with page.expect_response("**/oauth/callback?*") as answer:
        decide(page)

    headers = answer.value.headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "script-src" not in headers["content-security-policy"]
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title()
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.locator("script").count() == 0


def _send(local: Local, account_id: str) -> None:
    """Publish a notification that goes by this account, and see it arrive."""
    event = new_event("xoauth2@example.org")
    event.event["data"]["options"] = {"mail_account_id": account_id}
    publish([event], local.stack)
    wait_until(lambda: _journaled(event, local), "the mail that goes by the grant")


def _journaled(event: Sample, local: Local) -> bool:
    return bool(arrived([event], local))


def _renew(local: Local) -> None:
    """Let RefreshFunction run as its schedule does: it finds the grant due and renews it."""
    identity_provider = local.surroundings.identity_provider
    before = identity_provider.rotations

    _run_schedule(local)

    assert identity_provider.rotations > before


def _run_schedule(local: Local) -> None:
    answer = local.stack.client("lambda").invoke(
        FunctionName=local.stack.resources["RefreshFunction"],
        Payload=json.dumps({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
