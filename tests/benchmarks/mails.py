"""The mails that are measured: a prepared one, and one that tells each subscriber of a status page of an incident."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from tocsin.compose.composer import Composer
from tocsin.model.mail_account import Sender
from tocsin.model.notification import Notification
from tocsin.model.notifications.status_page import StatusPageIncidentCreated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tocsin.model.envelope import MailObject

SENDER = Sender(name="Acme Ops", email="ops@acme.example")
THREAD_ROOT = "<incident-7@acme.example>"
_AT = datetime(2026, 11, 21, 9, 30, 1, tzinfo=UTC)
_DESCRIPTION = "Some **card payments** fail. Invoices are not affected.\n\n- We know the cause.\n- We work on it.\n" * 3
_LEAVE = "https://status.acme.example/leave?token="
_MANAGE = "https://status.acme.example/manage?token="


def prepared() -> str:
    """A mail of 4.9 kB as it is submitted, multipart/alternative, in ASCII, its line ends CRLF, its last line empty."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = SENDER.email, "reader@example.org"
    message["Subject"] = "Problems with payments"
    line = "Some card payments fail. Invoices are not affected. We know the cause.\n"
    message.set_content(line * 22, cte="7bit")
    paragraphs = f"<p>{line.strip()}</p>\n" * 36
    message.add_alternative(f"<html><body>\n{paragraphs}</body></html>\n", subtype="html", cte="7bit")
    return message.as_string() + "\r\n"


def notification(recipients: Iterable[int]) -> Notification:
    """A new notification for these recipients."""
    data = StatusPageIncidentCreated.model_validate(
        {
            "project": {"id": "bench"},
            "recipients": [_recipient(number) for number in recipients],
            "status_page": {"id": "public", "name": "Acme Status", "url": "https://status.acme.example"},
            "incident": {"id": "7", "title": "Problems with payments", "number": 7, "description": _DESCRIPTION},
        }
    )
    return Notification(source="/bench", id="1", type="status_page.incident_created", time=_AT, subject=None, data=data)


def composed(composer: Composer, told: Notification) -> Iterator[MailObject]:
    """The notification's mails, each composed when it is asked for."""
    return (
        composer.compose(
            told,
            recipient,
            sender=SENDER,
            message_id=f"<{number}@acme.example>",
            thread_root=THREAD_ROOT,
            at=_AT,
        )
        for number, recipient in enumerate(told.data.recipients or ())
    )


def letter() -> dict[str, str]:
    """The same mail for peers, who render and build it: our own texts, as templates with two values left open.

    The templates' language is what Jinja2 and Handlebars share. A recipient's number goes behind each of the two URLs.
    """
    (mail,) = composed(Composer(), notification([0]))
    message = message_from_bytes(mail.content, policy=SMTP)
    text, html = (_as_template(part.get_content()) for part in message.iter_parts())
    return {
        "text": text,
        "html": html,
        "subject": str(message["Subject"]),
        "from_name": SENDER.name or "",
        "thread_root": THREAD_ROOT,
        "unsubscribe_url": _LEAVE,
        "manage_url": _MANAGE,
    }


def _recipient(number: int) -> dict[str, str]:
    return {
        "email": f"reader{number}@example.org",
        "name": f"Reáder {number}",
        "time_zone": ("Europe/Madrid", "America/New_York")[number % 2],
        "unsubscribe_url": f"{_LEAVE}{number:032x}",
        "manage_url": f"{_MANAGE}{number:032x}",
    }


def _as_template(content: str) -> str:
    template = content.replace(f"{_LEAVE}{0:032x}", "{{ unsubscribe_url }}")
    template = template.replace(f"{_MANAGE}{0:032x}", "{{ manage_url }}")
    assert template.count("{{") == 2, "each text names both URLs once"
    return template
