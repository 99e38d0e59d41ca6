"""One mail in the words of SMTP: its commands and its content, as one relay takes them (RFC 5321 section 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tocsin.adapters.failures import Mishap
from tocsin.adapters.mail_data import normalised, stuffed
from tocsin.errors import TocsinError
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from tocsin.adapters.smtp_extensions import Extensions
    from tocsin.model.envelope import Envelope, MailObject

CLOSING = 421
_PATH = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^"\\<>@\x00-\x20\x7f\ud800-\udfff]+)'  # only quotes may hold a space
    r"@[!#-;=?A-\[\]-~]+"
)


class NotTaken(TocsinError):
    """The session is over, and nothing of the mail at hand was taken: another session may have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What the relay is told for one mail; `content` is normalised, not yet dot-stuffed, without `mail.enclosed`."""

    mail: MailObject
    parameters: str
    content: bytes = field(repr=False)

    @property
    def mail_line(self) -> str:
        """The MAIL command."""
        return f"MAIL FROM:<{self.mail.envelope.mail_from}>{self.parameters}"

    @property
    def rcpt_line(self) -> str:
        """The RCPT command."""
        return f"RCPT TO:<{self.mail.envelope.rcpt_to}>"

    @property
    def octets(self) -> bytes:
        """What goes behind a 354, the final dot included."""
        return stuffed(self.content, self.mail.enclosed)


def transaction_for(mail: MailObject, extensions: Extensions) -> Transaction | Reply:
    """The transaction, or our own reply where the relay could not take the mail."""
    content = normalised(mail.content)
    limit, size = extensions.size_limit, len(content) + len(mail.enclosed)
    if limit is not None and size > limit:
        return _own_reply(Phase.MAIL, f"{Mishap.TOO_LARGE} of {limit}")
    if mail.envelope.smtputf8 and "SMTPUTF8" not in extensions:
        return _own_reply(Phase.RCPT, Mishap.NO_SMTPUTF8)
    parameters = _parameters(mail.envelope, content, extensions, size=size)
    return Transaction(mail=mail, parameters=parameters, content=content)


def unsendable(envelope: Envelope) -> Reply | None:
    """The reply for an envelope that no command may carry: it could end the command and begin another one."""
    paths = (envelope.mail_from, envelope.rcpt_to)
    if not all(_PATH.fullmatch(path) for path in paths):
        return _own_reply(Phase.COMPOSE, f"{Mishap.BAD_ADDRESS}: it cannot stand in a command")
    if not envelope.smtputf8 and not all(path.isascii() for path in paths):
        return _own_reply(Phase.COMPOSE, f"{Mishap.BAD_ADDRESS}: it is not ASCII, and SMTPUTF8 is not asked for")
    return None


def is_accepted(reply: Reply) -> bool:
    """Whether the reply is 2yz: the command was done."""
    return reply.code is not None and reply.code // 100 == 2  # noqa: PLR2004  (RFC 5321 section 4.2.1)


def is_go_ahead(reply: Reply) -> bool:
    """Whether the reply is 3yz: the content may come."""
    return reply.code is not None and reply.code // 100 == 3  # noqa: PLR2004  (as above)


def _parameters(envelope: Envelope, content: bytes, extensions: Extensions, *, size: int) -> str:
    parameters = ""
    if "SIZE" in extensions:
        parameters += f" SIZE={size}"
    if "8BITMIME" in extensions and not content.isascii():
        parameters += " BODY=8BITMIME"
    return parameters + (" SMTPUTF8" if envelope.smtputf8 else "")


def _own_reply(phase: Phase, text: str) -> Reply:
    return Reply(phase=phase, code=None, text=text)
