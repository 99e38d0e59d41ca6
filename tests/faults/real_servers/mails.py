"""Mails that differ in envelope and content, with every kind of line that could be taken for a command or an end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from tocsin.model.envelope import Envelope, MailObject

from tests.faults.real_servers.fates import TOO_LARGE
from tests.faults.real_servers.server import SIZE_LIMIT

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from tests.faults.real_servers.fates import Fate
    from tests.relay import Script

_COMMANDS = b"QUIT\r\nRSET\r\nMAIL FROM:<eve@acme.example>\r\nRCPT TO:<eve@example.org>\r\nDATA\r\n"
_BODIES = (
    b"",
    b"one line\r\n",
    b"no line end",
    b".",
    b".\r\n",
    b".\r\n.\r\n..\r\n...\r\n.x\r\n",
    b".\r\n" + _COMMANDS,
    _COMMANDS + b".\r\n" + _COMMANDS,
    b"\r\n\r\n\r\n",
    b"From eve\r\nSubject: in the body\r\n",
    b"x" * 998 + b"\r\n",
    b"." * 997 + b"\r\n",
    b"a\n.\nRCPT TO:<eve@example.org>\n.\r\nb\r.\r",
    b"\xc3\xa9\r\n" * 40,
    b"\xff\xfe\x80\r\n",
    (b"." + b"x" * 76 + b"\r\n") * 760,  # 60 kB
)
_LARGE_LINE = b"large\r\n"
_numbers = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A mail, and what is to become of it."""

    mail: MailObject
    fate: Fate

    @property
    def script(self) -> Script:
        """What makes our own relay bring it about."""
        envelope = self.mail.envelope
        return self.fate.script(mail_from=envelope.mail_from, rcpt_to=envelope.rcpt_to)


def cases(fates: Iterable[Fate], chance: random.Random) -> list[Case]:
    """A mail for each fate, any of the bodies in it, with addresses that no other mail of this test run has."""
    return [case(fate, chance.choice(_BODIES)) for fate in fates]


def case(fate: Fate, body: bytes = b"one line\r\n") -> Case:
    """One such mail."""
    number = next(_numbers)
    mail_from, rcpt_to = f"from.{fate}.{number}@acme.example", f"to.{fate}.{number}@example.org"
    if fate == TOO_LARGE:
        body = _LARGE_LINE * (SIZE_LIMIT // len(_LARGE_LINE))
    header = (
        f"From: {mail_from}\r\nTo: {rcpt_to}\r\nSubject: {number}\r\nMessage-ID: <{number}@acme.example>\r\n"
        "Date: Sat, 21 Nov 2026 09:30:00 +0000\r\n\r\n"
    )
    envelope = Envelope(mail_from=mail_from, rcpt_to=rcpt_to)
    return Case(mail=MailObject(envelope=envelope, content=header.encode() + body), fate=fate)
