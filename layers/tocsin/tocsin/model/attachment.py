"""What goes along with a notification's mails: files, and the octets that carry them around each mail's own text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """One file. `name` is safe to show and to store under; with a `content_id` the text shows it (RFC 2392)."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosures:
    """What stands before and behind the text of every mail of one notification, encoded: CRLF line ends, all ASCII.

    No line of `closing` begins with a dot, so that it goes over the wire as it is.
    """

    opening: bytes
    closing: bytes = field(repr=False)
