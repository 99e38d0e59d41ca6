"""The redirect as it should go: out with a state and a cookie, back with a code, verified by a login."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest

from tests.functional.authorize.redirect import SCOPE, TOKEN, Browser
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.identity_provider import USER

if TYPE_CHECKING:
    from tests.functional.authorize.conftest import Begin
    from tests.functional.deliver.stack import Stack
    from tests.functional.deliver.trouble import Call
    from tests.functional.http_api import Answer
    from tests.relay import Relay


def _kept() -> str:
    return json.dumps(boto3.client("dynamodb").scan(TableName="EphemeralTable")["Items"])


def test_an_opened_ticket_leads_to_the_provider_with_pkce_and_a_cookie(begin: Begin) -> None:
    redirect = begin()

    answer = redirect.browser.open(redirect.ticket())

    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{redirect.provider.authorization_url}?")
    assert query["redirect_uri"] == "https://tocsin.example/oauth/callback"
    assert query["code_challenge_method"] == "S256"
    assert SCOPE in query["scope"].split()
    assert query["login_hint"] == USER
    assert len(query["state"]) >= 22  # 128 bits in base64
    assert re.fullmatch(
        r"__Host-tocsin-[0-9a-f]{64}=[\w.-]+; Path=/; Max-Age=1200; HttpOnly; Secure; SameSite=Lax",
        redirect.browser.set_cookie,
    )


def test_state_cookie_and_ticket_are_kept_as_hashes_only(begin: Begin) -> None:
    redirect = begin()
    url = redirect.ticket()
    redirect.browser.open(url)

    state = dict(parse_qsl(urlsplit(redirect.browser.location).query))["state"]
    kept = _kept()
    assert state not in kept
    assert url.rpartition("/")[2] not in kept
    assert not [value for value in redirect.browser.cookies.values() if value in kept]


def test_a_consent_connects_and_verifies_the_account(begin: Begin, relay: Relay) -> None:
    redirect = begin()

    page = redirect.complete()

    account = redirect.account()
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Connected and verified" in page.body
    assert account["status"] == "verified"
    assert account["verified_at"]
    assert account["last_error"] is None
    assert account["grant"]["identity"] == USER
    assert account["version"] == 1
    assert any(command.startswith("AUTH XOAUTH2") for command in relay.commands)


def test_both_tokens_are_in_one_version_of_the_secret_and_its_renewal_is_scheduled(begin: Begin) -> None:
    redirect = begin()

    redirect.complete()

    secret, item = redirect.secret(), redirect.item()
    assert secret["access_token"] == TOKEN
    assert secret["refresh_token"]
    assert secret["grant_version"] == 1
    assert TOKEN not in json.dumps(item)
    assert secret["refresh_token"] not in json.dumps(item)
    assert item["refresh_at"]["S"] > account_time(item)


def account_time(item: dict[str, dict[str, str]]) -> str:
    """When the account was verified."""
    state: dict[str, str] = json.loads(item["state"]["S"])
    return state["verified_at"]


def test_the_bus_hears_of_a_verified_account(begin: Begin, whole_stack: Stack) -> None:
    whole_stack.events()
    redirect = begin()

    redirect.complete()

    [event] = whole_stack.events()
    assert event["detail-type"] == "mail_account.verified"
    assert event["detail"]["mail_account_id"] == redirect.account_id


def test_the_same_browser_sees_the_same_page_again_without_a_new_exchange(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()

    first, second = redirect.browser.open(url), redirect.browser.open(url)

    assert (first.status, first.body) == (second.status, second.body)
    assert len(redirect.provider.requests("token")) == 1


def test_another_browser_gets_an_error_and_uses_nothing_up(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()

    foreign = Browser().open(url)
    other = Browser()
    other.open(redirect.ticket())

    assert (foreign.status, other.open(url).status) == (400, 400)
    assert "does not belong to your browser" in foreign.body
    assert redirect.provider.requests("token") == []
    assert redirect.browser.open(url).status == 200
    assert Browser().open(url).status == 400


def test_a_scanner_that_opens_the_ticket_first_does_not_burn_it(begin: Begin) -> None:
    redirect = begin()
    url = redirect.ticket()
    Browser().open(url, method="HEAD")
    Browser().open(url)

    assert redirect.browser.open(redirect.consented(url)).status == 200


def test_a_ticket_ends_with_success(begin: Begin) -> None:
    redirect = begin()
    url = redirect.ticket()
    redirect.browser.open(redirect.consented(url))

    again = Browser().open(url)

    assert again.status == 404
    assert "no longer valid" in again.body


def test_a_ticket_that_failed_may_be_tried_again(begin: Begin) -> None:
    redirect = begin()
    page = redirect.browser.open(redirect.failed("access_denied"))

    [again] = re.findall(r'href="(https://tocsin\.example/authorize/[^"]+)"', page.body)
    assert redirect.browser.open(redirect.consented(again)).status == 200


@pytest.mark.parametrize("target", ["/authorize/{ticket}", "/oauth/callback?state=x&code=y"])
def test_head_looks_and_takes_nothing(begin: Begin, target: str) -> None:
    redirect = begin()
    ticket = redirect.ticket().rpartition("/")[2]
    before = _kept()

    answer = redirect.browser.open(target.replace("{ticket}", ticket), method="HEAD")

    assert (answer.status, answer.body, answer.cookies) == (200, "", ())
    assert _kept() == before


def test_cookies_in_the_header_are_read_as_well(begin: Begin) -> None:
    redirect = begin()

    assert redirect.browser.open(redirect.consented(), cookies_in="header").status == 200


def test_a_page_is_kept_framed_and_followed_by_nobody(begin: Begin) -> None:
    page = begin().complete()

    policy = page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.body


def test_a_page_links_to_our_own_address_whatever_the_host_header_says(begin: Begin) -> None:
    page = begin().complete()

    assert re.findall(r'href="([^"]*)"', page.body) == ["https://tocsin.example/projects/acme"]
    assert "evil.example" not in page.body
    assert "Ops &lt;mailbox&gt;" in page.body


def test_neither_secrets_nor_addresses_are_in_a_log_line(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    redirect = begin()
    redirect.complete()

    logged = str([vars(record) for record in caplog.records])
    secret = redirect.secret()
    assert "authorization_page" in logged
    assert not [
        value
        for value in (TOKEN, USER, secret["refresh_token"], secret["client_secret"], *redirect.browser.cookies.values())
        if value in logged
    ]


def test_a_permission_of_a_few_days_is_not_put_down_to_a_test_that_this_provider_does_not_have(begin: Begin) -> None:
    redirect = begin(extra={"access_token": TOKEN, "refresh_token_expires_in": 86_400})

    page = redirect.complete()

    assert "Connected and verified" in page.body
    assert "Google" not in page.body
    assert "What to do" not in page.body


def test_who_opened_a_ticket_twice_connects_once_and_hears_of_it_in_the_other_window(begin: Begin) -> None:
    redirect = begin()
    ticket = redirect.ticket()
    first, second = redirect.consented(ticket), redirect.consented(ticket)
    redirect.browser.open(first)
    stored, asked = redirect.secret(), len(redirect.provider.requests("token"))

    page = redirect.browser.open(second)

    assert page.status == 409
    assert "Already connected" in page.body
    assert (redirect.secret(), len(redirect.provider.requests("token"))) == (stored, asked)
    assert redirect.account()["status"] == "verified"
    assert "Connected and verified" in redirect.browser.open(first).body


def test_the_other_window_hears_of_it_while_the_first_still_logs_in_at_the_relay(begin: Begin) -> None:
    redirect = begin()
    ticket = redirect.ticket()
    first, second = redirect.consented(ticket), redirect.consented(ticket)
    begun: list[bool] = []
    others: list[Answer] = []

    def at(call: Call) -> bool:
        if "breaker#" in call.body and not begun:  # the relay let the first in, which nobody has written yet
            begun.append(True)
            others.append(redirect.browser.open(second))
        return False

    with trouble_with_aws(refused("never"), at=at):
        page = redirect.browser.open(first)

    assert ([other.status for other in others], page.status) == ([409], 200)
    assert len(redirect.provider.requests("token")) == 1
    assert redirect.account()["status"] == "verified"


def test_a_ticket_whose_first_window_failed_may_still_be_used_in_the_second(begin: Begin) -> None:
    redirect = begin()
    ticket = redirect.ticket()
    second = redirect.consented(ticket)
    redirect.browser.open(redirect.failed("access_denied", ticket=ticket))

    assert "Connected and verified" in redirect.browser.open(second).body
