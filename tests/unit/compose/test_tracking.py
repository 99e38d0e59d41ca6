"""A tracked mail is the untracked one but for where its links lead and the picture at its end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.composer import Composer
from tocsin.compose.environment import build_environment
from tocsin.compose.letter import Letter
from tocsin.compose.values import presentable
from tocsin.model.links import safe_url
from tocsin.model.notification import CATALOGUE, Notification, Recipient
from tocsin.model.reaction import Reaction
from tocsin.model.signed_token import LinkKey
from tocsin.model.tracked_links import TrackedLinks, Trail
from tocsin.model.tracking import Tracking, may_be_tracked

from tests.unit.compose.mails import AT, MESSAGE_ID, PLAIN, SENDER, THREAD_ROOT, Mail, read, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "https://tocsin.example"
KEY = LinkKey(b"k" * 32)
BOTH, OPENS, CLICKS = Tracking(opens=True, clicks=True), Tracking(opens=True), Tracking(clicks=True)
TRACKED_TYPES = [event_type for event_type in CATALOGUE if may_be_tracked(event_type)]
HREF = re.compile(r'href="([^"]*)"')
PIXEL = re.compile(rf'<img src="{BASE}/t/([^"]+)" alt="" width="1" height="1" style="[^"]*">\n')
TEXTS = st.text("ab [](){}<>&\"'!*_`\n", max_size=60)
URLS = st.from_regex(r"https?://[a-z0-9.]{1,9}(/[a-zA-Z0-9'()&;=%?é]{0,9}){0,3}(#[a-z&\"]{0,3})?", fullmatch=True)
MARKDOWN = st.lists(st.builds("[{}]({})".format, TEXTS, URLS) | st.builds("<{}>".format, URLS) | TEXTS).map(" ".join)
_COMPOSER = Composer()


def _links(tracking: Tracking, recipient: str = "ana@example.org", *, since: datetime = AT) -> TrackedLinks:
    return TrackedLinks(
        tracking=tracking, base_url=BASE, key=KEY, project_id="acme", delivery_id=f"to-{recipient}", since=since
    )


def _mail(notification: Notification, recipient: Recipient, tracking: Tracking | None, *, at: datetime = AT) -> Mail:
    return read(
        _COMPOSER.compose(
            notification,
            recipient,
            sender=SENDER,
            message_id=MESSAGE_ID,
            thread_root=THREAD_ROOT,
            at=at,
            links=_links(tracking, recipient.email) if tracking is not None else None,
        )
    )


def _notification(event: dict[str, Any]) -> Notification:
    data = CATALOGUE[event["type"]].model_validate(event["data"])
    return Notification(source="/test", id="1", type=event["type"], time=AT, subject=None, data=data)


def _described(description: str) -> Notification:
    event = sample("incident.created")
    event["data"]["incident"]["description"] = description
    return _notification(event)


def _targets(html: str) -> Iterator[str]:
    for url in map(unescape, HREF.findall(html)):
        yield _trail(url).target or "" if url.startswith(f"{BASE}/l/") else url


def _trail(url: str) -> Trail:
    return Trail.of(url.rpartition("/")[2], Reaction.CLICK, keys=[KEY], now=datetime.now(UTC))


def _untracked(html: str) -> str:
    targets = _targets(html)
    return HREF.sub(lambda _: f'href="{escape(next(targets))}"', PIXEL.sub("", html))


def _same_links(html: str) -> str:
    """The HTML with each web link written as we lead on to it."""
    return HREF.sub(lambda link: f'href="{escape(safe_url(unescape(link[1])) or unescape(link[1]))}"', html)


@pytest.mark.parametrize("event_type", TRACKED_TYPES)
@pytest.mark.parametrize("tracking", [BOTH, OPENS, CLICKS], ids=["both", "opens", "clicks"])
def test_nothing_else_of_a_mail_changes_and_every_link_leads_where_it_led(event_type: str, tracking: Tracking) -> None:
    notification = _notification(sample(event_type))
    [recipient, *_] = notification.data.recipients or ()

    plain, tracked = _mail(notification, recipient, None), _mail(notification, recipient, tracking)

    assert tracked.header_octets == plain.header_octets
    assert tracked.text == plain.text
    assert _untracked(tracked.html) == _same_links(plain.html)
    assert len(PIXEL.findall(tracked.html)) == tracking.opens
    assert (f"{BASE}/l/" in tracked.html) is (tracking.clicks and _has_pages(plain.html, event_type))


def _has_pages(html: str, event_type: str) -> bool:
    return bool(set(map(unescape, HREF.findall(html))) - set(_acting(sample(event_type)["data"])))


@pytest.mark.parametrize("event_type", ["incident.created", "status_page.maintenance_created"])
@given(description=MARKDOWN, recipients=st.lists(st.fixed_dictionaries({"role": TEXTS}), min_size=1, max_size=3))
def test_links_of_any_text_lead_where_they_led(
    event_type: str, description: str, recipients: list[dict[str, str]]
) -> None:
    event = sample(event_type)
    event["data"][CATALOGUE[event_type].about]["description"] = description
    event["data"]["recipients"] = [{"email": f"p{i}@example.org", **one} for i, one in enumerate(recipients)]
    notification = _notification(event)

    for recipient in notification.data.recipients or ():
        plain, tracked = _mail(notification, recipient, None), _mail(notification, recipient, BOTH)

        assert _untracked(tracked.html) == _same_links(plain.html)
        assert tracked.text == plain.text


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_a_project_that_counts_nothing_has_the_very_octets(event_type: str) -> None:
    notification = _notification(sample(event_type))
    [recipient, *_] = notification.data.recipients or ()

    contents = [_mail(notification, recipient, which).mail_object.content for which in (None, Tracking())]

    assert contents[0] == contents[1]


def _acting(part: object) -> Iterator[str]:
    """The links of an event that do something."""
    if isinstance(part, dict):
        for name, inner in part.items():
            if inner and name.endswith("_url") and name not in {"view_url", "logo_url"}:
                yield inner
            yield from _acting(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _acting(inner)


@pytest.mark.parametrize("event_type", TRACKED_TYPES)
def test_links_that_do_something_are_never_touched(event_type: str) -> None:
    event = sample(event_type)
    acting = set(_acting(event["data"]))
    notification = _notification(event)
    [recipient, *_] = notification.data.recipients or ()

    tracked = _mail(notification, recipient, BOTH).html

    assert not acting & {_trail(url).target for url in HREF.findall(tracked) if url.startswith(f"{BASE}/l/")}
    plain = _mail(notification, recipient, None).html
    for url in acting:
        assert tracked.count(f'href="{escape(url)}"') == plain.count(f'href="{escape(url)}"')


def test_a_link_that_does_something_is_known_wherever_it_stands() -> None:
    event = sample("incident.created")
    url = event["data"]["incident"]["acknowledge_url"]
    event["data"]["incident"]["description"] = f"[acknowledge]({url}&from=text) or [look](https://graphs.example/1)"
    notification = _notification(event)

    html = _mail(notification, Recipient(email="ana@example.org"), CLICKS).html

    assert f'href="{escape(url)}&amp;from=text"' in html
    assert "https://graphs.example/1" in set(_targets(html))
    assert "https://graphs.example/1" not in html


@pytest.mark.parametrize(
    ("acting", "written"),
    [
        pytest.param("https://x.org/ack/1", "https://x.org:443/ack/1", id="default-port"),
        pytest.param("https://x.org:443/ack/1", "https://x.org/ack/1", id="default-port-of-its-own"),
        pytest.param("http://x.org/ack/1", "http://x.org:80/ack/1", id="default-port-in-the-clear"),
        pytest.param("https://x.org/ack/1", "HTTPS://X.ORG/%61ck/%31?from=text", id="escapes-of-letters"),
        pytest.param("https://x.org/ack/a%2fb", "https://x.org/ack/a%2Fb", id="case-of-escapes"),
        pytest.param("https://x.org/%7eana/ack", "https://x.org/~ana/ack", id="escapes-of-its-own"),
    ],
)
def test_it_is_known_however_it_is_written(acting: str, written: str) -> None:
    event = sample("incident.created")
    event["data"]["incident"] |= {"acknowledge_url": acting, "description": f"[acknowledge]({written})"}

    html = _mail(_notification(event), Recipient(email="ana@example.org"), CLICKS).html

    assert f'href="{written}"' in html


@pytest.mark.parametrize(
    "other", ["https://x.org:8443/ack/1", "http://x.org/ack/1", "https://x.org/ACK/1", "https://x.org/%2561ck/1"]
)
def test_what_is_only_like_it_is_a_page(other: str) -> None:
    event = sample("incident.created")
    event["data"]["incident"] |= {"acknowledge_url": "https://x.org/ack/1", "description": f"[look]({other})"}

    html = _mail(_notification(event), Recipient(email="ana@example.org"), CLICKS).html

    assert f'href="{other}"' not in html
    assert other in set(_targets(html))


@pytest.mark.parametrize(
    "event_type",
    [event_type for event_type in CATALOGUE if event_type.startswith(("account.", "settings.", "generic."))],
)
def test_mails_about_accounts_and_settings_are_never_tracked(event_type: str) -> None:
    assert not may_be_tracked(event_type)


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_no_mail_with_a_code_or_a_one_time_link_of_its_own_is_tracked(event_type: str) -> None:
    one_time = [name for name in CATALOGUE[event_type].model_fields if name.endswith("_url") or "code" in name]

    assert not (one_time and may_be_tracked(event_type))


def test_each_recipient_has_links_of_their_own_from_one_rendering() -> None:
    notification, asked = _notification(sample("status_page.incident_created")), []
    environment = build_environment()
    facts: Any = environment.globals["occurrence_facts"]

    def counted(*arguments: Any, **options: Any) -> object:  # noqa: ANN401  (as the templates call it)
        asked.append(arguments)
        return facts(*arguments, **options)

    environment.globals["occurrence_facts"] = counted
    letter = Letter(notification, SENDER, PLAIN, environment)
    shown = presentable(Recipient(email="ana@example.org"))

    bodies = [letter.bodies(shown, "en", None, _links(BOTH, f"{number}")) for number in range(20)]

    assert len(asked) == len({"text", "HTML"})
    assert len({html for _, (_, html) in bodies}) == 20
    assert len({text for (_, text), _ in bodies}) == 1


def test_a_mail_that_is_composed_again_has_the_same_links() -> None:
    notification, ana = _notification(sample("incident.created")), Recipient(email="ana@example.org")

    first, again = (_mail(notification, ana, BOTH, at=AT + timedelta(hours=hours)) for hours in (0, 5))

    assert first.html == again.html


def test_a_link_of_our_own_stays_as_it_is() -> None:
    html = _mail(_described(f"[a]({BASE}/x) [b]({BASE}.evil.org/)"), Recipient(email="ana@example.org"), CLICKS).html

    assert f'href="{BASE}/x"' in html
    assert f'href="{BASE}.evil.org' not in html


@pytest.mark.parametrize("url", ["mailto:bo@example.org", "https://user@example.org/", f"https://x.org/{'a' * 1000}"])
def test_what_is_no_web_page_or_too_long_stays_as_it_is(url: str) -> None:
    html = _mail(_described(f"[there]({url})"), Recipient(email="ana@example.org"), CLICKS).html

    assert f'href="{escape(url)}"' in html


def test_of_very_many_links_the_first_fifty_are_tracked() -> None:
    text = " ".join(f"[{number}](https://x.org/{number})" for number in range(80))
    html = _mail(_described(text * 2), Recipient(email="ana@example.org"), CLICKS).html
    tracked = {target for target in _targets(html) if f'href="{target}"' not in html}

    assert len(tracked) == 50
    assert {f"https://x.org/{number}" for number in range(40)} <= tracked


def test_the_picture_is_the_last_thing_of_a_mail() -> None:
    html = _mail(_notification(sample("incident.created")), Recipient(email="ana@example.org"), OPENS).html

    [token] = PIXEL.findall(html)
    assert PIXEL.sub("</PIXEL>", html).replace("\n", "").endswith("</PIXEL></body></html>")
    assert Trail.of(token, Reaction.OPEN, keys=[KEY], now=AT).delivery_id == "to-ana@example.org"
