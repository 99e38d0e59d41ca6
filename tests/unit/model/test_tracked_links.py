"""A tracked address says what it was signed for, and leads to web pages only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.reaction import Reaction
from tocsin.model.signed_token import EXPIRY, BadToken, ExpiredToken, LinkKey, sign
from tocsin.model.tracked_links import LINKS_HOLD, TrackedLinks, Trail
from tocsin.model.tracking import Tracking

from tests.unit.model.examples import NOW

KEY = LinkKey(b"k" * 32)
LINKS = TrackedLinks(
    tracking=Tracking(opens=True, clicks=True),
    base_url="https://tocsin.example",
    key=KEY,
    project_id="acme",
    delivery_id="d-0-1",
    since=NOW,
)


def _read(url: str, reaction: Reaction, *, after: timedelta = timedelta(0)) -> Trail:
    return Trail.of(url.rpartition("/")[2], reaction, keys=[KEY], now=NOW + after)


@given(path=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=300))
def test_a_link_leads_to_its_own_target(path: str) -> None:
    target = f"https://acme.example/{path}"

    trail = _read(LINKS.link(target), Reaction.CLICK)

    assert trail == Trail(project_id="acme", delivery_id="d-0-1", since=NOW, target=target)


def test_a_picture_leads_nowhere() -> None:
    assert _read(LINKS.pixel(), Reaction.OPEN).target is None


def test_one_never_passes_for_the_other() -> None:
    for url, reaction in ((LINKS.pixel(), Reaction.CLICK), (LINKS.link("https://acme.example/"), Reaction.OPEN)):
        with pytest.raises(BadToken):
            _read(url, reaction)


def test_a_link_ends_after_400_days() -> None:
    link = LINKS.link("https://acme.example/")

    assert _read(link, Reaction.CLICK, after=LINKS_HOLD - timedelta(seconds=1)).target
    with pytest.raises(ExpiredToken):
        _read(link, Reaction.CLICK, after=LINKS_HOLD)


@pytest.mark.parametrize("own", ["https://tocsin.example", "https://tocsin.example/authorize/ticket"])
def test_what_is_ours_already_stays_as_it_is(own: str) -> None:
    assert LINKS.link(own) == own


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a.example/\r\nSet-Cookie: a=b", "/x", "", 7],
)
def test_even_a_token_of_ours_sends_nobody_to_what_is_no_web_page(target: str | int) -> None:
    claims: dict[str, str | int] = {"p": "acme", "d": "d", "u": target, EXPIRY: int((NOW + LINKS_HOLD).timestamp())}

    with pytest.raises(BadToken):
        _read(sign(claims, purpose="click", key=KEY), Reaction.CLICK)
