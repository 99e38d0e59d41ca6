"""The redirect while AWS is busy: a page that says so, nothing burnt, and never a page that is not true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import boto3
import pytest
from tocsin.model.authorization import fingerprint

from functions.authorize.answers import ALWAYS
from tests.functional.authorize.redirect import TOKEN, Browser
from tests.functional.deliver.trouble import refused, trouble_with_aws

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.authorize.conftest import Begin
    from tests.functional.deliver.trouble import Call
    from tests.functional.http_api import Answer

_BUSY = refused("ThrottlingException")


def _calls(name: str, *words: str) -> Callable[[Call], bool]:
    """The calls of this operation that speak of all these."""
    return lambda call: call.name == name and all(word in call.body for word in words)


def _heading(page: Answer) -> str:
    found = re.search("<h1>(.*)</h1>", page.body)
    assert found is not None, page.body
    return found[1]


def _assert_says_try_again(page: Answer) -> None:
    assert (page.status, _heading(page)) == (503, "We are busy just now")
    assert int(page.headers["retry-after"]) > 0
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {name: page.headers[name.lower()] for name in ALWAYS} == ALWAYS
    assert "Try the same link again" in page.body


@pytest.mark.parametrize(
    "at",
    [
        _calls("GetItem", "ticket#"),
        _calls("GetItem", "mail-account#"),
        _calls("PutItem", "authorization#"),
    ],
    ids=["ticket", "account", "state"],
)
def test_a_link_that_is_opened_meanwhile_may_be_opened_again(begin: Begin, at: Callable[[Call], bool]) -> None:
    redirect = begin()
    url = redirect.ticket()

    with trouble_with_aws(_BUSY, at=at):
        _assert_says_try_again(redirect.browser.open(url))

    assert redirect.browser.open(redirect.consented(url)).status == 200


@pytest.mark.parametrize(
    "at",
    [
        _calls("GetItem", "authorization#"),
        _calls("GetItem", "mail-account#"),
        _calls("GetItem", "ticket#"),
        _calls("UpdateItem", "authorization#", '"begun"'),
    ],
    ids=["state", "account", "ticket", "taking-the-state"],
)
def test_a_callback_that_cannot_begin_uses_nothing_up(begin: Begin, at: Callable[[Call], bool]) -> None:
    redirect = begin()
    url = redirect.consented()

    with trouble_with_aws(_BUSY, at=at):
        _assert_says_try_again(redirect.browser.open(url))
    assert redirect.provider.requests("token") == []

    assert _heading(redirect.browser.open(url)) == "Connected and verified"
    assert len(redirect.provider.requests("token")) == 1


@pytest.mark.parametrize(
    "at",
    [
        _calls("UpdateItem", "authorization#", '"finished"'),
        _calls("UpdateItem", '"ticket#'),
        _calls("DeleteItem", "lease#"),
    ],
    ids=["remembering", "ending-the-ticket", "giving-the-lease-back"],
)
def test_what_comes_after_the_connection_does_not_change_the_page(begin: Begin, at: Callable[[Call], bool]) -> None:
    redirect = begin()
    url = redirect.consented()

    with trouble_with_aws(_BUSY, at=at):
        page = redirect.browser.open(url)

    assert (page.status, _heading(page)) == (200, "Connected and verified")
    assert redirect.account()["status"] == "verified"
    assert "refresh_at" in redirect.item()


def test_a_result_is_remembered_though_the_ticket_cannot_be_ended(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()
    with trouble_with_aws(_BUSY, at=_calls("UpdateItem", '"ticket#')):
        first = redirect.browser.open(url)

    assert redirect.browser.open(url) == first


@pytest.mark.parametrize(
    "at",
    [_calls("DeleteItem", "breaker#"), _calls("TransactWriteItems", '\\"status\\":\\"verified\\"')],
    ids=["breaker", "account"],
)
def test_a_login_of_which_nothing_can_be_written_is_to_be_repeated(begin: Begin, at: Callable[[Call], bool]) -> None:
    redirect = begin()
    url = redirect.consented()

    with trouble_with_aws(_BUSY, at=at):
        page = redirect.browser.open(url)

    assert (page.status, _heading(page)) == (200, "Connected, but not verified yet")
    assert "Verify the mail account" in page.body
    assert redirect.secret()["access_token"] == TOKEN
    assert redirect.account()["status"] == "not_verified"
    assert redirect.account()["grant"] is not None
    assert redirect.browser.open(url) == page
    assert Browser().open(redirect.tickets[-1]).status == 404  # it has been used with success


def test_an_account_that_cannot_be_looked_for_is_not_said_to_be_gone(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()
    reads = _calls("GetItem", "mail-account#")
    read: list[Call] = []

    def at(call: Call) -> bool:
        """The account's version is another from its second reading on, and it cannot be read a third time."""
        if reads(call):
            read.append(call)
            if len(read) == 2:
                redirect.edit(name="Renamed")
        return reads(call) and len(read) > 2

    with trouble_with_aws(_BUSY, at=at):
        page = redirect.browser.open(url)

    assert (page.status, _heading(page)) == (409, "The mail account was changed meanwhile")
    assert redirect.browser.open(url) == page


@pytest.mark.parametrize("where", ["ticket", "authorization"])
def test_what_nobody_foresaw_gets_a_page_and_a_line_without_its_words(
    begin: Begin, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    redirect = begin()
    url = redirect.ticket() if where == "ticket" else redirect.consented()
    value = url.rpartition("/")[2] if where == "ticket" else redirect.state
    boto3.client("dynamodb").update_item(
        TableName="EphemeralTable",
        Key={"pk": {"S": f"{where}#{fingerprint(value)}"}},
        UpdateExpression="SET document = :broken",
        ExpressionAttributeValues={":broken": {"S": '{"project_id": "s3cret"}'}},
    )

    page = redirect.browser.open(url)

    assert (page.status, _heading(page)) == (500, "Something went wrong on our side")
    assert {name: page.headers[name.lower()] for name in ALWAYS} == ALWAYS
    [line] = [record for record in caplog.records if record.getMessage() == "request_failed"]
    assert (line.levelname, vars(line)["error"], line.exc_info) == ("ERROR", "ValidationError", None)
    assert "s3cret" not in page.body + str([vars(record) for record in caplog.records])
