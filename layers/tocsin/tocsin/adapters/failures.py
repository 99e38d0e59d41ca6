"""What happened where a phase ended without the reply it needed: the texts, and the error that carries them."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from tocsin.errors import TocsinError
from tocsin.model.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.model.reply import Phase


class Mishap(StrEnum):
    """How the text of a reply without a code begins. `data/remedies.toml` matches these words: they are a contract."""

    NAME_NOT_FOUND = "name not found"  # dns: ": <host>"
    TEMPORARY_DNS_FAILURE = "temporary DNS failure"  # dns: ": <reason>"
    REFUSED_BY_EGRESS = "refused by egress policy"  # egress: ": <why>"
    CONNECTION_REFUSED = "connection refused"  # connect
    NETWORK_UNREACHABLE = "network unreachable"  # connect
    PROXY_REFUSED = "proxy refused"  # connect: ": <its status line>"
    TIMED_OUT = "timed out"  # any phase
    CONNECTION_CLOSED = "connection closed"  # any phase from connect on
    MALFORMED_REPLY = "malformed reply"  # any phase from connect on
    REPLY_TOO_LONG = "reply too long"  # any phase from connect on
    UNEXPECTED_REPLY = "unexpected reply"  # any phase from connect on: ": <its code>"
    STARTTLS_NOT_ADVERTISED = "STARTTLS not advertised"  # tls
    DATA_AFTER_STARTTLS = "data after the STARTTLS reply"  # tls
    CERTIFICATE_VERIFY_FAILED = "certificate verify failed"  # tls: ": <reason>"
    TLS = "TLS"  # tls: ": <reason>"
    BAD_EHLO_NAME = "bad EHLO name"  # ehlo
    CLEAR_AUTH_REFUSED = "AUTH refused on a clear connection"  # auth: ": <why>"
    NO_CREDENTIAL = "no credential for AUTH"  # auth
    BAD_CREDENTIAL = "bad credential"  # auth: ": <why>"
    NO_COMMON_MECHANISM = "no common AUTH mechanism"  # auth: ": the relay offers <names>"
    BAD_ADDRESS = "bad address"  # compose: ": <why>"
    TOO_LARGE = "message is larger than the relay's SIZE limit"  # mail: " of <octets>"
    NO_SMTPUTF8 = "the relay does not offer SMTPUTF8"  # rcpt


class PhaseFailed(TocsinError):
    """The session cannot go on; `reply` says in which phase and why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.phase}: {reply.code or reply.text}")
        self.reply = reply

    @classmethod
    def by(cls, phase: Phase, mishap: Mishap, detail: str | None = None) -> PhaseFailed:
        """Say what happened in `phase` instead of a reply."""
        return cls(Reply(phase=phase, code=None, text=f"{mishap}: {detail}" if detail else mishap.value))


@contextmanager
def failing_in(phase: Phase) -> Iterator[None]:
    """Turn what a socket raises into `PhaseFailed`.

    Raises:
        PhaseFailed: the time limit passed, or the connection was lost.
    """
    try:
        yield
    except OSError as error:
        raise failure_in(phase, error) from error


def failure_in(phase: Phase, error: OSError) -> PhaseFailed:
    """What an error of a socket means: the time limit passed, or the connection was lost."""
    return PhaseFailed.by(phase, Mishap.TIMED_OUT if isinstance(error, TimeoutError) else Mishap.CONNECTION_CLOSED)
