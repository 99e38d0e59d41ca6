"""Whatever goes wrong on the way, a page says what, and what to do; nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.identity_provider.registrations import MAIL_SCOPE
from local.identity_provider.running import USERS
from local.oauth2_demo import oauth2_account
from tests.browser.time_passing import let_time_pass
from tests.browser.walk import callback_of, decide

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.api import Api
    from tests.local.conftest import Local

pytestmark = pytest.mark.local


@pytest.fixture
def account_id(api: Api, local: Local) -> str:
    return api.create(oauth2_account(local.surroundings))


@pytest.mark.parametrize(
    ("decision", "heading", "words"),
    [
        ({"decision": "Deny"}, "Access was declined", "the user said no"),
        ({"mail": False}, "The mail permission is missing", MAIL_SCOPE),
        ({"user": USERS[1].name}, "Another user signed in", USERS[1].username),
    ],
    ids=["denied", "mail unticked", "somebody else"],
)
def test_a_consent_that_does_not_do_is_explained(
    page: Page, api: Api, account_id: str, decision: dict[str, Any], heading: str, words: str
) -> None:
    page.goto(api.authorize_url(account_id))
    decide(page, **decision)

    _assert_explained(page, heading)
    assert words in page.get_by_role("main").inner_text()
    assert api.read(account_id)["status"] == "not_verified"


def test_one_who_chose_wrongly_may_try_again(page: Page, api: Api, account_id: str) -> None:
    page.goto(api.authorize_url(account_id))
    decide(page, mail=False)

    page.get_by_role("link", name="Try again").click()
    decide(page)

    _assert_heading(page, "Connected and verified")


def test_an_unknown_ticket_is_explained(page: Page, local: Local) -> None:
    page.goto(f"{local.surroundings.front.url}/authorize/{'x' * 43}")

    _assert_explained(page, "This link is no longer valid")


def test_a_ticket_that_is_too_old_is_explained(page: Page, api: Api, local: Local, account_id: str) -> None:
    url = api.authorize_url(account_id)
    let_time_pass(local.stack, account_id)

    page.goto(url)

    _assert_explained(page, "This link is no longer valid")


def test_a_ticket_that_served_its_purpose_is_explained(page: Page, api: Api, account_id: str) -> None:
    url = api.authorize_url(account_id)
    page.goto(url)
    decide(page)

    page.goto(url)

    _assert_explained(page, "This link is no longer valid")


def test_one_who_takes_too_long_is_told(page: Page, api: Api, local: Local, account_id: str) -> None:
    page.goto(api.authorize_url(account_id))
    let_time_pass(local.stack, account_id)
    decide(page)

    _assert_explained(page, "That took too long")
    assert api.read(account_id)["status"] == "not_verified"


def test_a_callback_in_another_browser_is_refused(page: Page, browser: Browser, api: Api, account_id: str) -> None:
    with browser.new_context() as first:
        other = first.new_page()
        other.goto(api.authorize_url(account_id))
        callback = callback_of(other)

    page.goto(callback)

    _assert_explained(page, "This does not belong to your browser")
    assert api.read(account_id)["status"] == "not_verified"


def test_a_finished_callback_shows_nothing_to_another_browser(
    page: Page, browser: Browser, api: Api, account_id: str
) -> None:
    page.goto(api.authorize_url(account_id))
    decide(page)

    with browser.new_context() as second:
        other = second.new_page()
        other.goto(page.url)
        _assert_explained(other, "This does not belong to your browser")


def test_a_callback_that_was_made_up_is_refused(page: Page, local: Local) -> None:
    page.goto(f"{local.surroundings.front.redirect_uri}?code=made-up&state=made-up")

    _assert_explained(page, "This does not belong to your browser")


def test_an_account_deleted_meanwhile_is_said_so(page: Page, api: Api, account_id: str) -> None:
    page.goto(api.authorize_url(account_id))
    api.delete(account_id)
    decide(page)

    _assert_explained(page, "The mail account was deleted meanwhile")


def test_a_client_secret_that_is_wrong_is_explained(page: Page, api: Api, local: Local) -> None:
    account_id = api.create(oauth2_account(local.surroundings, client_secret="mistyped"))

    page.goto(api.authorize_url(account_id))
    decide(page)

    _assert_explained(page, "The identity provider refused the exchange")
    assert api.read(account_id)["status"] == "not_verified"


def test_a_provider_that_does_not_say_who_signed_in_is_explained(page: Page, api: Api, local: Local) -> None:
    account = oauth2_account(local.surroundings)
    nowhere = f"{local.surroundings.identity_provider.issuer}/nowhere"
    account["auth"]["oauth2"] |= {"userinfo_url": nowhere, "scopes": [MAIL_SCOPE]}
    account_id = api.create(account)

    page.goto(api.authorize_url(account_id))
    decide(page)

    _assert_explained(page, "Nobody said who signed in")
    assert api.read(account_id)["status"] == "not_verified"


def test_a_login_that_fails_after_all_is_explained(page: Page, api: Api, local: Local) -> None:
    account = oauth2_account(local.surroundings)
    account["relay"]["port"] = local.surroundings.inbox.web_port  # not on the list of private hosts
    account_id = api.create(account)

    page.goto(api.authorize_url(account_id))
    decide(page)

    _assert_explained(page, "Connected, but the login failed")
    assert api.read(account_id)["status"] == "not_verified"


def _assert_explained(page: Page, heading: str) -> None:
    """The page says what happened, and what to do."""
    _assert_heading(page, heading)
    assert page.get_by_role("heading", name="What to do").is_visible()


def _assert_heading(page: Page, heading: str) -> None:
    assert page.get_by_role("heading", level=1).inner_text() == heading
