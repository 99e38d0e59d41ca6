"""The pages around a link: complete, inert but for one button, and silent about what only we know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from tocsin import wiring_subscriptions
from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.signed_token import BadToken, ExpiredToken, LinkKey
from tocsin.model.subscription import Subscription

from functions.authorize.unsubscribe_pages import Ending, page
from tests.functional.page_reader import PageReader
from tests.functional.unsubscribe.conftest import one_click, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.http_api import Answer

pytestmark = pytest.mark.usefixtures("whole_stack")

_HOSTILE = "<script>alert(1)</script>\"'&"
_SUBSCRIPTION = Subscription(project_id="acme", address="ana.maria@example.org", page_id="public", page_name="Acme")
_WITH_SUBSCRIPTION = [Ending.ASKED, Ending.LEFT, Ending.BACK]


def _read(ending: Ending, subscription: Subscription | None) -> PageReader:
    text = page(ending, subscription).body
    assert text is not None
    return PageReader(text)


def _link(address: str) -> str:
    subscription = Subscription(project_id="acme", address=address, page_id="public", page_name="Acme Status")
    return f"https://tocsin.example/unsubscribe/{subscription.token(LinkKey(b'k' * 64), since=datetime.now(UTC))}"


@pytest.mark.parametrize("ending", Ending)
def test_every_page_has_one_heading_a_language_and_a_title(ending: Ending) -> None:
    read = _read(ending, _SUBSCRIPTION if ending in _WITH_SUBSCRIPTION else None)

    assert [read.tags.count(tag) for tag in ("h1", "title", "main")] == [1, 1, 1]
    assert ("lang", "en") in read.attributes


@pytest.mark.parametrize("ending", [one for one in Ending if one not in _WITH_SUBSCRIPTION])
def test_every_failure_says_what_to_do_and_has_no_button(ending: Ending) -> None:
    read = _read(ending, None)

    assert ("id", "remedy") in read.attributes
    assert "form" not in read.tags


@pytest.mark.parametrize("ending", _WITH_SUBSCRIPTION)
def test_what_others_say_is_text_wherever_it_stands(ending: Ending) -> None:
    hostile = Subscription(project_id="acme", address=f"{_HOSTILE}@x.example", page_id="public", page_name=_HOSTILE)

    read = _read(ending, hostile)

    assert "script" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in {"style", "href", "action"}]


@pytest.mark.parametrize("link", [_link("ana.maria@example.org"), "/unsubscribe/made-up"], ids=["good", "bad"])
def test_nobody_keeps_frames_or_follows_a_page(link: str) -> None:
    answer = visit(link)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    policy = answer.headers["content-security-policy"]
    assert all(part in policy for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"))


@pytest.mark.parametrize("act", [visit, one_click], ids=["ask", "leave"])
def test_the_address_is_masked_and_the_page_named(act: Callable[[str], Answer]) -> None:
    body = act(_link("ana.maria@example.org")).body

    assert "a…@example.org" in body
    assert "ana.maria" not in body
    assert "Acme Status" in body


def test_a_page_does_not_tell_whether_anybody_left() -> None:
    link = _link("new@example.org")

    before = visit(link)
    one_click(link)

    assert visit(link) == before


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadToken("x"), 404),
        (ExpiredToken("x"), 410),
        (SecretUnavailable("x"), 503),
        (TransientError("x"), 503),
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, "PutItem"), 503),
    ],
)
def test_trouble_has_a_page_of_its_own(error: Exception, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class InTrouble:
        def leave(self, token: str) -> None:
            del token
            raise error

    monkeypatch.setattr(wiring_subscriptions, "unsubscribe", InTrouble)

    answer = one_click(_link("ana.maria@example.org"))

    assert answer.status == status
    assert "<h1>" in answer.body
