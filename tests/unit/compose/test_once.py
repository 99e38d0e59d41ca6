"""A mail from the common rendering is, octet for octet, the one that a rendering of its own would give."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.compose.body import Body, Places
from tocsin.compose.composer import Composer
from tocsin.compose.environment import build_environment
from tocsin.compose.letter import Letter
from tocsin.compose.occurrence import occurrence_facts
from tocsin.compose.values import presentable
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE, Notification, Recipient

from tests.unit.compose.mails import AT, MESSAGE_ID, PLAIN, SENDER, THREAD_ROOT, composed, sample
from tests.unit.compose.naive import naive_content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.compose.occurrence import Fact

LONG = "x" * 75
EXAMPLES = settings().max_examples if settings.get_current_profile_name() == "full" else 5
"""Of each type: what the mails of a notification share is made by the same code for all types."""
TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
    | st.text("a=.<>&\"' \t\r\n\x00\x85é漢😀\u2028_{}%", min_size=1, max_size=200)
    | st.sampled_from(["role", ".role.", "{{ recipient.role }}", "=", "=3D", "é" * 500, f"{LONG} ", "漢" * 2000])
    | st.integers(60, 90).map(lambda length: "x" * length + "=")
)
URLS = st.builds("https://status.example.org/{}".format, TEXTS) | TEXTS
ADDRESSES = st.sampled_from(["ana@example.org", "añá@example.org", '"a=b"@bücher.example'])
ATTRIBUTES = {
    "name": TEXTS,
    "role": st.sampled_from(["owner", "member"]) | TEXTS,
    "locale": st.sampled_from(["de", "de-AT", "ja", "pt_BR", "xx", "\x00"]) | TEXTS,
    "time_zone": st.sampled_from(["Europe/Madrid", "UTC", "Mars/Olympus", "Asia/Tokyo"]),
    "unsubscribe_url": URLS,
    "manage_url": URLS,
}


def _alike(names: set[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Give recipients who have the same attributes, so that most of them share a rendering."""
    attributes = {name: ATTRIBUTES[name] for name in sorted(names)}
    return st.lists(st.fixed_dictionaries({"email": ADDRESSES} | attributes), min_size=1, max_size=3)


RECIPIENTS = st.sets(st.sampled_from(sorted(ATTRIBUTES))).flatmap(_alike)
SENDERS = st.builds(
    Sender,
    name=TEXTS,
    email=st.sampled_from(["ops@acme.org", "störung@acme.org"]),
    reply_to=st.sampled_from([None, "help@acme.org", "hílfe@acme.org"]),
    signature=TEXTS,
)


@pytest.mark.parametrize("event_type", CATALOGUE)
@settings(max_examples=EXAMPLES)
@given(
    recipients=RECIPIENTS,
    sender=SENDERS,
    description=TEXTS,
    title=TEXTS,
    footer=TEXTS,
)
def test_every_recipient_gets_the_mail_that_a_rendering_of_its_own_would_give(
    event_type: str, recipients: list[dict[str, Any]], sender: Sender, description: str, title: str, footer: str
) -> None:
    event = sample(event_type)
    event["data"]["recipients"] = recipients[:1] if CATALOGUE[event_type].is_personal else recipients
    _change(event["data"], "status_page", footer=footer)
    for name in ("incident", "alert", "episode"):
        _change(event["data"], name, title=title, description=description)
    notification = _notification(event)

    for recipient in notification.data.recipients or ():
        content = composed(notification, recipient, sender=sender).content

        assert content == naive_content(notification, recipient, sender=sender)


@given(before=TEXTS, value=TEXTS, after=TEXTS, times=st.integers(0, 3))
def test_filling_a_text_encodes_as_if_the_value_had_stood_in_it(
    before: str, value: str, after: str, times: int
) -> None:
    places, value = Places(), " ".join(value.split()) or "-"
    with_places = Body(before + places.stand_in("role") * times + after, places)
    without = Body(before + value * times + after, places)

    assert with_places.fill({"role": value.encode()}) == without.fill({})


def test_an_empty_text_is_an_empty_line() -> None:
    assert Body("", Places()).fill({}) == ("quoted-printable", b"\r\n")


def test_one_rendering_serves_all_who_share_locale_and_time_zone_and_have_the_same_attributes() -> None:
    letter, asked = _letter_that_counts_facts("status_page.incident_created")

    for number in range(40):
        shown = presentable(Recipient(email=f"r{number}@example.org", role=f"r{number}"))
        letter.bodies(shown, ("en", "de")[number // 2 % 2], ("Europe/Paris", "Asia/Tokyo")[number % 2])

    assert len(asked) == 2 * 2 * len({"text", "HTML"})


def test_equal_events_of_two_projects_share_nothing() -> None:
    composer, event = Composer(), sample("incident.created")
    ours, theirs = _notification(event), _notification(event | {"data": event["data"] | {"project": {"id": "theirs"}}})
    ana = Recipient(email="ana@example.org")

    first, second, again = (_compose(composer, which, ana) for which in (ours, theirs, ours))

    assert b"from Acme." in first
    assert b"from theirs." in second
    assert again == first


def test_another_sender_of_the_same_notification_signs_with_its_own_name() -> None:
    composer, notification = Composer(), _notification(sample("incident.created"))
    ana = Recipient(email="ana@example.org")

    _compose(composer, notification, ana)
    content = _compose(composer, notification, ana, sender=Sender(email="b@acme.org", signature="Signed, B"))

    assert content == naive_content(notification, ana, sender=Sender(email="b@acme.org", signature="Signed, B"))


def test_threads_get_each_recipient_its_own_mail_of_each_notification() -> None:
    composer, notifications = Composer(), [_notification(sample(event_type)) for event_type in CATALOGUE]
    recipients = [Recipient(email=f"r{number}@example.org", role=f"role {number}") for number in range(4)]
    wanted = [(notification, recipient) for recipient in recipients for notification in notifications]

    with ThreadPoolExecutor(8) as threads:
        contents = list(threads.map(lambda pair: _compose(composer, *pair), wanted))

    assert contents == [naive_content(*pair, sender=SENDER) for pair in wanted]


def test_the_notifications_that_a_composer_keeps_are_few() -> None:
    composer, ana, seen = Composer(), Recipient(email="ana@example.org"), []

    for _ in range(20):
        notification = _notification(sample("incident.created"))
        _compose(composer, notification, ana)
        seen.append(weakref.ref(notification.data))
    gc.collect()

    assert sum(data() is not None for data in seen) <= 5


def _compose(composer: Composer, notification: Notification, recipient: Recipient, *, sender: Sender = SENDER) -> bytes:
    return composer.compose(
        notification, recipient, sender=sender, message_id=MESSAGE_ID, thread_root=THREAD_ROOT, at=AT
    ).content


def _notification(event: dict[str, Any]) -> Notification:
    data = CATALOGUE[event["type"]].model_validate(event["data"])
    return Notification(source="/test", id="1", type=event["type"], time=AT, subject=None, data=data)


def _change(data: dict[str, Any], part: str, **changes: str) -> None:
    if part in data:
        data[part] |= changes


def _letter_that_counts_facts(event_type: str) -> tuple[Letter, list[object]]:
    """Give a letter, and a list that grows each time that its templates ask for the facts."""
    environment = build_environment()
    asked: list[object] = []

    def counted(occurrence: Mapping[str, Any], *, people: bool) -> list[Fact]:
        asked.append(occurrence)
        return occurrence_facts(occurrence, people=people)

    environment.globals["occurrence_facts"] = counted
    return Letter(_notification(sample(event_type)), SENDER, PLAIN, environment), asked
