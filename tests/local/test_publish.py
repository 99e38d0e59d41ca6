"""A notification on the queue becomes one mail per recipient, once."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest

from local.demo import SENDER
from local.samples import publish, read_samples
from tests.local.events import arrived, messages_left, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from email.message import EmailMessage

    from local.samples import Sample
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

SAMPLES = read_samples()


@pytest.mark.parametrize("type_", [sample.name for sample in SAMPLES])
def test_every_recipient_of_a_notification_gets_a_mail(type_: str, local: Local) -> None:
    sample = new_event(type_=type_)

    publish([sample], local.stack)

    arrivals = wait_until(lambda: arrived([sample], local), f"mails of {type_}")
    for arrival in arrivals:
        assert arrival.mail is not None
        message = arrival.mail.message
        assert arrival.mail.mail_from == SENDER
        assert message["From"].addresses[0].addr_spec == SENDER
        assert message["To"].addresses
        assert message["Auto-Submitted"] == "auto-generated"
        assert any(name in arrival.mail.subject for name in _names(sample.event["data"]))
        assert message.get_body(("plain",)) is not None
        assert message.get_body(("html",)) is not None
        assert b"\n" not in arrival.mail.content.replace(b"\r\n", b"")
        assert _files(message).items() >= _files_of(sample.event["data"]).items()
        assert ("maintenance.ics" in _files(message)) is _brings_calendar(sample)


def test_a_redelivered_notification_sends_no_second_mail(local: Local) -> None:
    sample = new_event("once@example.org")
    publish([sample], local.stack)
    wait_until(lambda: arrived([sample], local), "the first mail")

    publish([sample], local.stack)

    wait_until(lambda: messages_left(local) == 0, "an empty queue")
    assert [mail.rcpt_to for mail in local.inbox.mailbox.mails()].count("once@example.org") == 1


def _files(message: EmailMessage) -> dict[str, Any]:
    """The files of a mail, by their names."""
    parts = [part for part in message.walk() if part.get_filename() is not None]
    return {str(part.get_filename()): part.get_payload(decode=True) for part in parts}


def _files_of(data: dict[str, Any]) -> dict[str, bytes]:
    """The files that the publisher wants sent."""
    return {file["name"]: b64decode(file["content_base64"]) for file in data.get("options", {}).get("attachments", ())}


def _brings_calendar(sample: Sample) -> bool:
    return "maintenance" in sample.event["data"] and "note" not in sample.event["data"]


def _names(data: dict[str, Any]) -> list[str]:
    """What the notification is about, as people call it; what is about nothing else names the project, or a count."""
    parts = [part for key, part in data.items() if key != "project" and isinstance(part, dict)]
    names = [
        str(part[name])
        for part in parts
        for name in ("first_title", "title", "name", "subject", "count")
        if name in part
    ]
    return names or [data["project"]["name"]]
