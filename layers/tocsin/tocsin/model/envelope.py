"""What the relay is told: the envelope, and the mail object it carries (RFC 5321 section 2.3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who the mail is from and to, as MAIL FROM and RCPT TO say it.

    Domains are A-labels. `smtputf8` is true only if a local part is not ASCII (RFC 6531).
    """

    mail_from: str
    rcpt_to: str
    smtputf8: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailObject:
    """An envelope and the content to put in it: RFC 5322 octets with CRLF line ends, not yet dot-stuffed.

    `enclosed` follows the content: the same octets in every mail of a notification, ASCII, no line of which begins with
    a dot. Kept apart, a megabyte is encoded and held once for all recipients.
    """

    envelope: Envelope
    content: bytes = field(repr=False)
    enclosed: bytes = field(default=b"", repr=False)
