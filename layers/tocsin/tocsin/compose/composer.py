"""The composer: one notification, one recipient, one mail object."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tocsin.compose.environment import build_environment
from tocsin.compose.headers import address_header, date_header, token_header
from tocsin.compose.letter import CannotCompose, Letter
from tocsin.compose.reader import known_locale
from tocsin.compose.values import presentable
from tocsin.model.address import parse_address
from tocsin.model.branding import Look
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.links import LONGEST_HEADER_URL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.tracked_links import TrackedLinks

__all__ = ["CannotCompose", "Composer"]

_LETTERS = 4  # notifications that threads compose at the same time
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_PLAIN = Look()
_SOME_TIME = bytes.fromhex("01dc7ab192")  # the upper octets of a FILETIME at the start of 2026: no thread's own
_LINE_OCTETS = 998  # RFC 5322 section 2.1.1


class Composer:
    """Composes from the templates of `compose/templates/`. One may be shared by threads.

    What the mails of one notification object have in common is kept for the next recipient. `list_host` is the host of
    our own links, and makes the names of lists ours; `localhost` is for lists without one (RFC 2919 section 3).
    """

    def __init__(self, *, list_host: str = "localhost") -> None:
        self._environment = build_environment()
        self._list_host = list_host
        self._letter = lru_cache(maxsize=_LETTERS)(self._make_letter)

    def compose(  # noqa: PLR0913  (each is a fact of its own, and named)
        self,
        notification: Notification,
        recipient: Recipient,
        *,
        sender: Sender,
        message_id: str,
        thread_root: str,
        at: datetime,
        look: Look = _PLAIN,
        links: TrackedLinks | None = None,
        way_out: str | None = None,
    ) -> MailObject:
        """Compose the message that tells `recipient` of `notification`, as the project wants its mails to `look`.

        With `links`, what is opened and followed is told by addresses that are this recipient's own. `way_out` is a
        link of ours to leave a list by: mail programs get it in place of the publisher's, people where there is none.

        `message_id` and `thread_root` come with their angle brackets; `at` becomes the Date. Neither subject nor body
        depends on `at`, so composing again gives the same message.

        Raises:
            BadAddress: the recipient's address is none.
            BrokenTemplate: the project's own template, which is a part of its `look`, fails.
            CannotCompose: something else is wrong, in the sender or the templates.
        """
        to = parse_address(recipient.email)
        letter = self._letter(_Same(notification), sender, look)
        locale = known_locale(recipient.locale)
        utf8 = letter.utf8 or to.needs_smtputf8  # one non-ASCII local part is enough (RFC 6532)
        shown = presentable(recipient)
        theirs = shown["unsubscribe_url"]
        shown["unsubscribe_url"] = theirs or way_out
        from_header, *sender_headers = letter.headers(locale, utf8=utf8)
        headers = [
            from_header,
            address_header("To", recipient.name, to, utf8=utf8),
            *sender_headers,
            date_header("Date", at),
            _message_id_header(message_id),
            *_thread_headers(notification, thread_root),
            token_header("Auto-Submitted", "auto-generated"),  # RFC 3834 section 5
            token_header("X-Auto-Response-Suppress", "All"),  # the same for Exchange
            *_unsubscribe_headers(notification, way_out or theirs),
            token_header("MIME-Version", "1.0"),
        ]
        text, html = letter.bodies(shown, locale, recipient.time_zone, links)
        return MailObject(
            envelope=Envelope(mail_from=str(letter.from_address), rcpt_to=str(to), smtputf8=utf8),
            content=_octets(headers, utf8=utf8) + _alternatives(text, html, boundary=_boundary(message_id)),
        )

    def _make_letter(self, same: _Same, sender: Sender, look: Look) -> Letter:
        return Letter(same.notification, sender, look, self._environment, list_host=self._list_host)


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A notification by its identity: equal only to itself, so that nothing is shared with another project's."""

    notification: Notification

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.notification is other.notification

    def __hash__(self) -> int:
        return id(self.notification)


def _message_id_header(message_id: str) -> str:
    return token_header("Message-ID", _checked("Message-ID", message_id))


def _thread_headers(notification: Notification, thread_root: str) -> list[str]:
    """Thread by a root that no message has, so that it holds where a provider replaces the Message-ID.

    Outlook goes by Thread-Index instead: the same 22 octets in all mails of a thread.
    """
    _checked("thread root", thread_root)
    if notification.data.about is None:
        return []
    return [
        token_header("In-Reply-To", thread_root),
        token_header("References", thread_root),
        token_header("Thread-Index", _thread_index(thread_root)),
    ]


@lru_cache(maxsize=_LETTERS)
def _thread_index(thread_root: str) -> str:
    """Write a conversation index: 01, five octets of time, the same in all threads, and an id (MS-OXOMSG 2.2.1.3)."""
    return b64encode(b"\x01" + _SOME_TIME + hashlib.sha256(thread_root.encode()).digest()[:16]).decode()


def _checked(name: str, value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise CannotCompose(f"{name}: not a msg-id (RFC 5322 section 3.6.4)")
    return value


def _unsubscribe_headers(notification: Notification, url: str | None) -> list[str]:
    """Subscribers can leave with one click (RFC 8058, which asks for https); people on call cannot."""
    if not notification.for_subscribers or url is None or len(url) > LONGEST_HEADER_URL:
        return []
    headers = [token_header("List-Unsubscribe", f"<{url}>")]
    if url.startswith("https:"):
        headers.append(token_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return headers


def _octets(headers: Sequence[str], *, utf8: bool) -> bytes:
    """Give the header section, having looked once more for what would break it, or add to it, on its way."""
    section = "".join(f"{header}\r\n" for header in headers).encode()
    *lines, _ = section.split(b"\r\n")
    folds = section.count(b"\r\n ") + section.count(b"\r\n\t") + section.startswith((b" ", b"\t"))
    only_crlf = section.count(b"\r") == section.count(b"\n") == len(lines)
    is_sound = only_crlf and len(lines) - folds == len(headers) and max(map(len, lines)) <= _LINE_OCTETS
    if not is_sound or not (utf8 or section.isascii()):
        raise CannotCompose("headers: they cannot be written as lines of mail")
    return section


def _alternatives(text: tuple[str, bytes], html: tuple[str, bytes], *, boundary: str) -> bytes:
    """Give the field that announces them, and both parts (RFC 2046 section 5.1.4)."""
    (text_encoding, text_lines), (html_encoding, html_lines) = text, html
    return b"".join(
        [
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n--{boundary}\r\n'.encode(),
            f'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: {text_encoding}\r\n\r\n'.encode(),
            text_lines,
            f"\r\n--{boundary}\r\n".encode(),
            f'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: {html_encoding}\r\n'.encode(),
            b"MIME-Version: 1.0\r\n\r\n",
            html_lines,
            f"\r\n--{boundary}--\r\n".encode(),
        ]
    )


def _boundary(message_id: str) -> str:
    """Neither quoted-printable nor base64 can hold `=_`, so no body ends early (RFC 2045 section 6.7)."""
    return f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"
