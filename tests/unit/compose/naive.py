"""Composing as one would without haste: every mail rendered by itself and written by the standard library."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from tocsin.compose.brand import brand_of
from tocsin.compose.environment import build_environment
from tocsin.compose.headers import address_header, date_header, text_header, token_header
from tocsin.compose.list_headers import list_headers
from tocsin.compose.reader import Reader, known_locale, reading
from tocsin.compose.subject import is_stable, thread_subject
from tocsin.compose.times import display_zones
from tocsin.compose.values import one_line, presentable
from tocsin.compose.words import role_word
from tocsin.model.address import parse_address
from tocsin.model.links import safe_url

from tests.unit.compose.mails import AT, MESSAGE_ID, PLAIN, THREAD_ROOT

if TYPE_CHECKING:
    from tocsin.model.branding import Look
    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification, Recipient

_ENVIRONMENT = build_environment()
_POLICY = SMTP.clone(max_line_length=76, cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a mail says, before it is written as one."""

    subject: str
    topic: str | None
    text: str
    html: str


def rendered(notification: Notification, recipient: Recipient, *, sender: Sender, look: Look = PLAIN) -> Rendered:
    """Give what a mail ought to say."""
    page = getattr(notification.data, "status_page", None)
    zones = display_zones(recipient.time_zone, (page.time_zones or ()) if page else ())
    pictures = frozenset(one.content_id for one in notification.data.options.attachments if one.content_id)
    reader = Reader(locale=known_locale(recipient.locale), zones=tuple(zones), pictures=pictures)
    with reading(reader):
        values = _values(notification, recipient, sender, look) | {"reader": reader}
        topic = thread_subject(notification, values, look)
        stable = is_stable(notification, look) and topic
        values["subject"] = one_line(stable or _rendered(notification, "subject.txt.j2", values), limit=250)
        text, html = (_rendered(notification, file, values) for file in ("body.txt.j2", "body.html.j2"))
    return Rendered(
        subject=values["subject"],
        topic=one_line(topic, limit=250) if topic else None,
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=html,
    )


def naive_content(notification: Notification, recipient: Recipient, *, sender: Sender, look: Look = PLAIN) -> bytes:
    """Give what `mails.composed` ought to give."""
    says = rendered(notification, recipient, sender=sender, look=look)
    mailboxes = [(recipient.name, recipient.email), *((sender.name, each) for each in _sender_addresses(sender))]
    utf8 = any(parse_address(email).needs_smtputf8 for _, email in mailboxes)
    message = EmailMessage(policy=_POLICY.clone(utf8=utf8))
    for header in (
        address_header("From", sender.name, parse_address(sender.email), utf8=utf8),
        address_header("To", recipient.name, parse_address(recipient.email), utf8=utf8),
        *(
            address_header("Reply-To", sender.name, parse_address(each), utf8=utf8)
            for each in [sender.reply_to]
            if each
        ),
        text_header("Subject", says.subject, utf8=utf8),
        *([text_header("Thread-Topic", says.topic, utf8=utf8)] if says.topic else []),
        *list_headers(notification, host="localhost", utf8=utf8),
        date_header("Date", AT),
        token_header("Message-ID", MESSAGE_ID),
        *_thread_headers(notification),
        token_header("Auto-Submitted", "auto-generated"),
        token_header("X-Auto-Response-Suppress", "All"),
        *_unsubscribe_headers(notification, recipient),
    ):
        message[header.partition(":")[0]] = _Verbatim(header)
    message.set_content(says.text, cte=_transfer_encoding(says.text))
    message.add_alternative(says.html, subtype="html", cte=_transfer_encoding(says.html))
    message.set_boundary(f"=_{hashlib.sha256(MESSAGE_ID.encode()).hexdigest()[:32]}")
    return message.as_bytes()


class _Verbatim(str):
    """A header that the standard library writes as it stands."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self.partition(":")[0]

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self}{policy.linesep}"


def _rendered(notification: Notification, file: str, values: dict[str, Any]) -> str:
    return _ENVIRONMENT.get_template(f"{notification.type}/{file}").render(values)


def _values(notification: Notification, recipient: Recipient, sender: Sender, look: Look) -> dict[str, Any]:
    shown = presentable(recipient)
    role = shown["role"] and role_word(shown["role"], known_locale(recipient.locale))
    values = presentable(notification.data, exclude={"recipients", "recipients_ref", "options"}) | {
        "told_at": notification.time,
        "recipient": shown | {"role": role},
        "signature": presentable(sender)["signature"],
        "signature_html": Markup(sender.signature_html) if sender.signature_html else None,  # noqa: S704  (the test's)
    }
    return values | {"brand": brand_of(values, look)}


def _thread_headers(notification: Notification) -> list[str]:
    if notification.data.about is None:
        return []
    index = b"\x01" + bytes.fromhex("01dc7ab192") + hashlib.sha256(THREAD_ROOT.encode()).digest()[:16]
    fields = {"In-Reply-To": THREAD_ROOT, "References": THREAD_ROOT, "Thread-Index": b64encode(index).decode()}
    return [token_header(name, value) for name, value in fields.items()]


def _sender_addresses(sender: Sender) -> list[str]:
    return [each for each in (sender.email, sender.reply_to) if each]


def _unsubscribe_headers(notification: Notification, recipient: Recipient) -> list[str]:
    url = safe_url(recipient.unsubscribe_url)
    if not notification.for_subscribers or not url or len(url) > 900:
        return []
    one_click = [token_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] * url.startswith("https:")
    return [token_header("List-Unsubscribe", f"<{url}>"), *one_click]


def _transfer_encoding(text: str) -> str:
    octets = len(text.encode())
    quoted = octets + 2 * (octets - len(text.encode("ascii", "ignore")))
    return "base64" if 3 * quoted > 4 * octets else "quoted-printable"
