"""What the relay keeps of what it was told."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail as it was handed over; `parameters` are those of MAIL, `content` is without dot-stuffing."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    parameters: tuple[str, ...]
    content: bytes


@dataclass(slots=True)
class Record:
    """Everything the relay saw, over all of its connections.

    `mails` were accepted, `contents` arrived whole, accepted or not. `commands` are lines as the client sent them, AUTH
    responses included. `behind_contents` is, for each content, what had come behind it before its reply was given.
    `clear_octets` came over connections, or parts of them, without TLS.
    """

    mails: list[ReceivedMail] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    behind_contents: list[bytes] = field(default_factory=list)
    clear_octets: bytearray = field(default_factory=bytearray)
    connections: int = 0
