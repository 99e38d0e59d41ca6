"""Making mails for tests, and reading them as a recipient's program would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string
from email.policy import SMTPUTF8
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.compose.composer import Composer
from tocsin.model.branding import Look, SubjectStyle
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE, Notification, Recipient

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tocsin.model.envelope import MailObject
    from tocsin.model.tracked_links import TrackedLinks

SAMPLES = Path(__file__).parents[3] / "events" / "notifications"
AT = datetime(2026, 11, 21, 9, 30, 1, tzinfo=UTC)
MESSAGE_ID = "<3f9c1e@acme.org>"
THREAD_ROOT = "<incident-77ab@acme.org>"
PLAIN = Look()
DESCRIPTIVE = Look(subject_style=SubjectStyle.DESCRIPTIVE)
SENDER = Sender(name="Acme Ops", email="ops@acme.org")
_COMPOSER = Composer()
_LEAST: dict[str, Any] = {
    "accept_url": "https://app.example.org/accept/1",
    "change": {"state": "resolved"},
    "code": "481516",
    "confirm_url": "https://status.example.org/confirm/1",
    "digest": {
        "route": "alert",
        "count": 2,
        "began_at": "2026-11-21T09:20:00Z",
        "ended_at": "2026-11-21T09:30:00Z",
        "threads": [{"family": "alert", "count": 2}],
        "thread_count": 1,
    },
    "expires_on": "2026-11-28",
    "failures": {"count": 1},
    "items": [{"title": "Slow"}],
    "message": {"subject": "Down", "body": "News", "html": "<p>News</p>"},
    "note": {"body": "News"},
    "report": {},
    "reset_url": "https://app.example.org/reset/1",
    "sla": {"breach": "response", "deadline": "2026-11-21T09:00:00Z"},
    "status_page": {"id": "public"},
    "update": {"edits": [{"field": "title"}]},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A composed mail, read again."""

    mail_object: MailObject
    message: EmailMessage

    @property
    def text(self) -> str:
        """What a reader without HTML sees."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """What everybody else's program is given."""
        return self._body("html")

    @property
    def header_octets(self) -> bytes:
        """The header section, undecoded."""
        return self.mail_object.content.partition(b"\r\n\r\n")[0]

    def _body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


def sample(event_type: str) -> dict[str, Any]:
    """Give the sample event of a type, fresh, for a test to change."""
    event: dict[str, Any] = json.loads((SAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))
    return event


def sample_mail(
    event_type: str,
    *,
    sender: Sender = SENDER,
    recipient: int = 0,
    look: Look = PLAIN,
    **changes: Any,  # noqa: ANN401  (JSON)
) -> Mail:
    """Compose a sample; `changes` go into the object that it is about."""
    event = sample(event_type)
    event["data"][_object(event_type)] |= changes
    return mail_of(event, sender=sender, recipient=recipient, look=look)


def minimal_mail(
    event_type: str = "incident.created",
    *,
    recipient: dict[str, Any] | None = None,
    sender: Sender = SENDER,
    look: Look = PLAIN,
    **changes: Any,  # noqa: ANN401  (JSON)
) -> Mail:
    """Compose an event with the required attributes only, and `changes` in the object that it is about."""
    data: dict[str, Any] = {
        "project": {"id": "acme"},
        "recipients": [recipient or {"email": "ana@example.org"}],
        _object(event_type): {"id": "7", "title": "Down", "name": "Ops"} | changes,
    }
    required = {name for name, field in CATALOGUE[event_type].model_fields.items() if field.is_required()}
    least = {name: part for name, part in _LEAST.items() if name in required}
    return mail_of({"type": event_type, "data": least | data}, sender=sender, look=look)


def _object(event_type: str) -> str:
    return CATALOGUE[event_type].about or "project"


def mail_of(event: dict[str, Any], *, sender: Sender = SENDER, recipient: int = 0, look: Look = PLAIN) -> Mail:
    """Compose an event for its first recipient, or the one asked for."""
    data = CATALOGUE[event["type"]].model_validate(event["data"])
    assert data.recipients
    time = datetime.fromisoformat(event["time"]) if "time" in event else None
    notification = Notification(source="/test", id="1", type=event["type"], time=time, subject=None, data=data)
    return read(composed(notification, data.recipients[recipient], sender=sender, look=look))


def composed(
    notification: Notification,
    recipient: Recipient,
    *,
    sender: Sender = SENDER,
    message_id: str = MESSAGE_ID,
    thread_root: str = THREAD_ROOT,
    look: Look = PLAIN,
    links: TrackedLinks | None = None,
) -> MailObject:
    """Compose with what is the same in most tests."""
    return _COMPOSER.compose(
        notification,
        recipient,
        sender=sender,
        message_id=message_id,
        thread_root=thread_root,
        at=AT,
        look=look,
        links=links,
    )


def read(mail_object: MailObject) -> Mail:
    """Read the octets back."""
    message = message_from_string(mail_object.content.decode(), policy=SMTPUTF8)
    assert not message.defects
    return Mail(mail_object=mail_object, message=message)
