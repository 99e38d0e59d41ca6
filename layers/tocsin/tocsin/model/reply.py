"""What a relay answered, or what happened instead of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Phase(StrEnum):
    """How far a submission had come when the reply was given, in order."""

    SETTINGS = "settings"  # our own state: no route, account disabled, secret missing
    COMPOSE = "compose"  # the message could not be composed or addressed
    DNS = "dns"
    EGRESS = "egress"
    CONNECT = "connect"  # TCP, proxy and greeting
    TLS = "tls"  # implicit TLS or STARTTLS
    EHLO = "ehlo"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the DATA command, the content, and the reply to the final dot
    AFTER_DATA = "after_data"  # the content is written whole and its reply never came

    @property
    def concerns_session(self) -> bool:
        """Whether every message of the session shares this reply, not only the one at hand."""
        return self in _SESSION_PHASES


_SESSION_PHASES = frozenset({Phase.DNS, Phase.EGRESS, Phase.CONNECT, Phase.TLS, Phase.EHLO, Phase.AUTH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply, kept whole.

    `code` is None where no reply came (lost connection, time limit, our own refusal); `text` then says what happened.
    `enhanced` is the RFC 3463 status (`5.7.1`), `challenge` the decoded JSON of a SASL 334 error challenge (RFC 7628
    section 3.2.2); it holds no secret.
    """

    phase: Phase
    code: int | None
    text: str
    enhanced: str | None = None
    challenge: Mapping[str, str] | None = field(default=None, hash=False)

    @property
    def accepted(self) -> bool:
        """Whether the relay took responsibility for the message: the reply to the final dot is 2yz (RFC 5321 4.2.5)."""
        return self.phase is Phase.DATA and self.code is not None and self.code // 100 == 2  # noqa: PLR2004
