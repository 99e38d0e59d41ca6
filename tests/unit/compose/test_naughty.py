"""No text breaks a mail or gets out of its place in it, whatever the type, whatever the field, however long it is."""

from __future__ import annotations

import json
import time
from email import message_from_string
from email.policy import strict
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from tocsin.compose.values import one_line
from tocsin.errors import InvalidNotification
from tocsin.model.address import BadAddress, parse_address
from tocsin.model.branding import Branding, Look, ThreadTitle
from tocsin.model.event import check_event, read_event
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE, Recipient

from tests.unit.compose.generated import Json, events, with_text
from tests.unit.compose.mails import SENDER, composed, sample
from tests.unit.compose.naive import rendered
from tests.unit.compose.naughty import NAUGHTY, TOO_MUCH
from tests.unit.compose.soundness import check_sound

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVERY = 12
"""Usually a type meets each so many-th text, and its neighbours meet the others; with `--full` it meets all."""
_LONG_TYPES = ("incident.updated", "alert_episode.item_added", "status_page.maintenance_note")
_SECONDS = 5.0
"""A mail takes milliseconds, the worst of these half a second, and what makes a program go astray takes hours."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each type its texts."""
    if "naughty" in metafunc.fixturenames:
        step = 1 if metafunc.config.getoption("--full") else _EVERY
        pairs = list(_pairs(step))
        metafunc.parametrize(("event_type", "naughty"), pairs, ids=map("-".join, pairs))


def _pairs(step: int) -> Iterator[tuple[str, str]]:
    names = list(NAUGHTY)
    return ((type_, name) for number, type_ in enumerate(CATALOGUE) for name in names[number % step :: step])


def test_no_text_breaks_a_mail_or_gets_out_of_its_place(event_type: str, naughty: str) -> None:
    text = NAUGHTY[naughty]
    sender = Sender(name=text, email="ops@acme.org", signature=text)
    look = Look(branding=Branding(footer=text, color=text), thread_title=ThreadTitle(title=text), project_name=text)
    notification = check_event(with_text(event_type, text))
    recipient = (notification.data.recipients or ())[0]

    content = composed(notification, recipient, sender=sender, look=look).content

    says = rendered(notification, recipient, sender=sender, look=look)
    assert one_line(text) in check_sound(content, says)
    assert one_line(text) in says.text


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_half_a_character_of_json_is_refused_by_its_place_or_replaced(event_type: str) -> None:
    body = json.dumps(with_text(event_type, "a\ud800b"))

    try:
        notification = check_event(read_event(body))
    except InvalidNotification as refused:
        assert str(refused).startswith("invalid_data: data.")  # noqa: PT017  (either is right)
        return

    recipient = (notification.data.recipients or ())[0]
    says = rendered(notification, recipient, sender=SENDER)
    assert "a\ufffdb" in check_sound(composed(notification, recipient).content, says)


@pytest.mark.parametrize("shape", ["{}", "{}@example.org", "ana@{}.example.org", '"{}"@example.org'])
@pytest.mark.parametrize("text", NAUGHTY.values(), ids=NAUGHTY)
def test_any_text_for_an_address_is_refused_or_is_one_address(text: str, shape: str) -> None:
    recipient = Recipient(email=shape.replace("{}", text), name=text)
    notification = check_event(sample("incident.created"))

    try:
        content = composed(notification, recipient).content
    except BadAddress:
        return

    check_sound(content, rendered(notification, recipient, sender=SENDER))
    assert f"<{parse_address(recipient.email)}>".encode() in content
    assert len(message_from_string(content.decode(), policy=strict)["To"].addresses) == 1


@pytest.mark.parametrize(("event_type", "name"), list(zip(cycle(_LONG_TYPES), TOO_MUCH, strict=False)))
def test_too_much_of_anything_is_cut_and_takes_no_time(event_type: str, name: str) -> None:
    notification = check_event(with_text(event_type, TOO_MUCH[name]))
    recipient = (notification.data.recipients or ())[0]

    begun = time.thread_time()
    content = composed(notification, recipient).content
    took = time.thread_time() - begun

    assert took < _SECONDS
    check_sound(content, rendered(notification, recipient, sender=SENDER))


@given(event=events())
def test_any_event_is_a_mail_that_says_what_was_rendered(event: Json) -> None:
    notification = check_event(event)

    for recipient in notification.data.recipients or ():
        check_sound(composed(notification, recipient).content, rendered(notification, recipient, sender=SENDER))
