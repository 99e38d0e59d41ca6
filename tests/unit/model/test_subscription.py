"""Which mails have a list that can be left, and what the link to leave it says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE
from tocsin.model.signed_token import BadToken, ExpiredToken, LinkKey, sign
from tocsin.model.subscribers import listed_page
from tocsin.model.subscription import LINKS_HOLD, Subscription
from tocsin.model.suppression_scope import ALL, address_of, page_scope, suppression_key

from tests.unit.compose.mails import sample
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from tocsin.model.notification import Notification

KEY = LinkKey(b"k" * 32)
ANA = Subscription(project_id="acme", address="ana@example.org", page_id="public", page_name="Acme Status")
_NO_LIST = (
    "status_page.created",
    "status_page.owner_added",
    "status_page.announcement_posted",
    "status_page.private_user",
    "status_page.subscription_confirm",
    "status_page.manage_subscription",
)


def _notification(event_type: str = "status_page.incident_created", **page: str | None) -> Notification:
    event = sample(event_type)
    if page:
        event["data"]["status_page"] |= page
    return check_event(event)


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_only_what_goes_to_all_subscribers_goes_to_a_list(event_type: str) -> None:
    page = listed_page(_notification(event_type))

    assert (page is not None) == (event_type.startswith("status_page.") and not event_type.startswith(_NO_LIST))


def test_a_subscription_is_of_the_project_the_page_and_the_canonical_address() -> None:
    notification = _notification(id="public", name="  Acme\n Status ")

    assert Subscription.of(notification, "ana@example.org") == ANA


@pytest.mark.parametrize(("given", "name"), [(None, None), (" \n", None), ("x" * 99, "x" * 60)])
def test_a_page_s_name_is_one_short_line_or_none(given: str | None, name: str | None) -> None:
    subscription = Subscription.of(_notification(name=given), "ana@example.org")

    assert subscription is not None
    assert subscription.page_name == name


@pytest.mark.parametrize("page_name", ["Acme Status", "ステータス", None])
def test_a_link_says_what_it_is_about_until_it_ends(page_name: str | None) -> None:
    subscription = Subscription(project_id="acme", address="ü@example.org", page_id="Public 1", page_name=page_name)
    token = subscription.token(KEY, since=NOW)
    last = NOW + LINKS_HOLD - timedelta(seconds=1)

    assert Subscription.of_token(token, keys=[KEY], now=last) == subscription
    with pytest.raises(ExpiredToken):
        Subscription.of_token(token, keys=[KEY], now=NOW + LINKS_HOLD)


def test_a_link_of_another_kind_is_none() -> None:
    other = sign({"p": "acme", "a": "ana@example.org", "s": "public", "exp": 2**40}, purpose="open", key=KEY)

    with pytest.raises(BadToken):
        Subscription.of_token(other, keys=[KEY], now=NOW)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("ana@example.org", "a…@example.org"),
        ("a@example.org", "a…@example.org"),
        ('"a b@c"@example.org', '"…@example.org'),
        ("ü@example.org", "ü…@example.org"),
    ],
)
def test_who_reads_over_a_shoulder_learns_no_address(address: str, masked: str) -> None:
    subscription = Subscription(project_id="acme", address=address, page_id="public", page_name=None)

    assert subscription.masked_address == masked
    assert address not in repr(subscription)


def test_each_scope_of_an_address_has_a_key_of_its_own() -> None:
    scopes = [ALL, page_scope("public"), page_scope("internal"), page_scope("p" * 200)]
    keys = [suppression_key("ana@example.org", scope) for scope in scopes]

    assert len(set(keys)) == len(scopes)
    assert keys[0] == "ana@example.org"
    assert {address_of(key) for key in keys} == {"ana@example.org"}
    assert max(map(len, keys)) < 60
