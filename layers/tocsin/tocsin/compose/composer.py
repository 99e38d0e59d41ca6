"""The composer: one notification, one recipient, one mail object."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from tocsin.compose.environment import build_environment
from tocsin.compose.headers import address_header, date_header, text_header, token_header
from tocsin.compose.links import LONGEST_HEADER_URL, safe_url
from tocsin.compose.times import display_zones
from tocsin.compose.values import one_line, presentable
from tocsin.errors import PermanentError
from tocsin.model.address import BadAddress, parse_address
from tocsin.model.envelope import Envelope, MailObject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tocsin.compose.headers import Header
    from tocsin.model.address import Address
    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification, Recipient

_SUBJECT_CHARACTERS = 250
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_LINE_OCTETS = 998  # RFC 5322 section 2.1.1
_POLICY = SMTP.clone(max_line_length=76, cte_type="7bit")  # RFC 2045 section 6.7: quoted-printable lines end at 76
_POLICY_UTF8 = _POLICY.clone(utf8=True)


class CannotCompose(PermanentError):
    """No valid message can be made. The message names the part that is at fault, and holds no value of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """The addresses of one message. One non-ASCII local part makes the whole message internationalised (RFC 6532)."""

    sender: Address
    recipient: Address
    reply_to: Address | None

    @property
    def utf8(self) -> bool:
        return any(address.needs_smtputf8 for address in (self.sender, self.recipient, self.reply_to) if address)

    @property
    def envelope(self) -> Envelope:
        return Envelope(mail_from=str(self.sender), rcpt_to=str(self.recipient), smtputf8=self.utf8)


class Composer:
    """Composes from the templates of `compose/templates/`. One may be shared by threads."""

    def __init__(self) -> None:
        self._environment = build_environment()

    def compose(
        self,
        notification: Notification,
        recipient: Recipient,
        *,
        sender: Sender,
        message_id: str,
        thread_root: str,
        at: datetime,
    ) -> MailObject:
        """Compose the message that tells `recipient` of `notification`.

        `message_id` and `thread_root` come with their angle brackets; `at` becomes the Date. Neither subject nor body
        depends on `at`, so composing again gives the same message.

        Raises:
            BadAddress: the recipient's address is none.
            CannotCompose: something else is wrong, in the sender or the templates.
        """
        route = _route(recipient, sender)
        values = _values(notification, recipient, sender)
        headers = [
            *_address_headers(route, recipient, sender),
            text_header("Subject", self._subject(notification.type, values), utf8=route.utf8),
            date_header("Date", at),
            *_thread_headers(message_id, thread_root),
            token_header("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
            token_header("X-Auto-Response-Suppress", "All"),  # the same for Exchange
            *_unsubscribe_headers(notification, recipient),
        ]
        message = EmailMessage(policy=_POLICY_UTF8 if route.utf8 else _POLICY)
        for header in headers:
            message[header.name] = header
        self._add_bodies(message, notification.type, values, boundary=_boundary(message_id))
        return MailObject(envelope=route.envelope, content=_octets(message, utf8=route.utf8))

    def _subject(self, event_type: str, values: Mapping[str, object]) -> str:
        return one_line(self._render(f"{event_type}/subject.txt.j2", values), limit=_SUBJECT_CHARACTERS)

    def _add_bodies(
        self, message: EmailMessage, event_type: str, values: Mapping[str, object], *, boundary: str
    ) -> None:
        text = re.sub(r"\n{3,}", "\n\n", self._render(f"{event_type}/body.txt.j2", values)).strip() + "\n"
        html = self._render(f"{event_type}/body.html.j2", values)
        message.set_content(text, cte=_transfer_encoding(text))
        message.add_alternative(html, subtype="html", cte=_transfer_encoding(html))
        message.set_boundary(boundary)

    def _render(self, template: str, values: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(template).render(values)
        except TemplateError as error:
            raise CannotCompose(f"template {template}: {type(error).__name__}") from error


def _route(recipient: Recipient, sender: Sender) -> _Route:
    return _Route(
        recipient=parse_address(recipient.email),
        sender=_sender_address(sender.email, part="sender address"),
        reply_to=_sender_address(sender.reply_to, part="reply-to address") if sender.reply_to else None,
    )


def _sender_address(text: str, *, part: str) -> Address:
    try:
        return parse_address(text)
    except BadAddress as error:  # not the recipient's fault, so it must not look like it
        raise CannotCompose(f"{part}: {error}") from error


def _values(notification: Notification, recipient: Recipient, sender: Sender) -> dict[str, object]:
    """Everything a template may show, clean. Absent parts are None; a part the type does not have is undefined."""
    data = notification.data
    values = presentable(data, exclude={"recipients", "recipients_ref", "options"})
    page = getattr(data, "status_page", None)
    values["told_at"] = notification.time
    values["recipient"] = presentable(recipient)
    values["signature"] = presentable(sender, include={"signature"})["signature"]
    values["zones"] = display_zones(recipient.time_zone, (page.time_zones or ()) if page else ())
    return values


def _address_headers(route: _Route, recipient: Recipient, sender: Sender) -> list[Header]:
    headers = [
        address_header("From", sender.name, route.sender, utf8=route.utf8),
        address_header("To", recipient.name, route.recipient, utf8=route.utf8),
    ]
    if route.reply_to:
        headers.append(address_header("Reply-To", sender.name, route.reply_to, utf8=route.utf8))
    return headers


def _thread_headers(message_id: str, thread_root: str) -> list[Header]:
    """Thread by a root that no message has, so that it holds where a provider replaces the Message-ID."""
    for name, value in (("Message-ID", message_id), ("thread root", thread_root)):
        if not _MESSAGE_ID.fullmatch(value):
            raise CannotCompose(f"{name}: not a msg-id (RFC 5322 section 3.6.4)")
    return [
        token_header("Message-ID", message_id),
        token_header("In-Reply-To", thread_root),
        token_header("References", thread_root),
    ]


def _unsubscribe_headers(notification: Notification, recipient: Recipient) -> list[Header]:
    """Subscribers can leave with one click (RFC 8058, which asks for https); people on call cannot."""
    url = safe_url(recipient.unsubscribe_url)
    if notification.family != "status_page" or url is None or len(url) > LONGEST_HEADER_URL:
        return []
    headers = [token_header("List-Unsubscribe", f"<{url}>")]
    if url.startswith("https:"):
        headers.append(token_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return headers


def _transfer_encoding(text: str) -> str:
    """Quoted-printable triples each non-ASCII octet, base64 adds a third to all: take the shorter."""
    octets = len(text.encode())
    quoted = octets + 2 * (octets - len(text.encode("ascii", "ignore")))
    return "base64" if 3 * quoted > 4 * octets else "quoted-printable"


def _boundary(message_id: str) -> str:
    """Neither quoted-printable nor base64 can hold `=_`, so no body ends early (RFC 2045 section 6.7)."""
    return f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"


def _octets(message: EmailMessage, *, utf8: bool) -> bytes:
    """Give the content, having looked once more for what would break it on its way."""
    content = message.as_bytes()
    lines = content.split(b"\r\n")
    only_crlf = content.count(b"\r") == content.count(b"\n") == len(lines) - 1
    if not only_crlf or max(map(len, lines)) > _LINE_OCTETS or not (utf8 or content.isascii()):
        raise CannotCompose("content: it cannot be written as lines of mail")
    return content
