"""What a failure must look like for a row of the remedies to speak of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tocsin.model.reply import Phase, Reply

type Status = tuple[int, int, int]
"""An enhanced status code (RFC 3463): class, subject, detail."""

_TEXT_LIMIT = 4_096  # characters; what names a failure stands at the head of a reply, and the search stays short
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})", re.ASCII)
_LINE_HEAD = re.compile(r"^(?:[2-5]\d\d[ -])?(?:[245]\.\d{1,3}\.\d{1,3}(?!\S))?", re.MULTILINE)


class Service(StrEnum):
    """Whose words a row knows."""

    SMTP = "smtp"
    MICROSOFT_TOKEN = "microsoft_token"  # noqa: S105  the name of an endpoint
    GOOGLE_TOKEN = "google_token"  # noqa: S105  the name of an endpoint
    TOKEN = "token"  # noqa: S105  a token endpoint that keeps to RFC 6749
    GRAPH = "graph"
    IMAP = "imap"
    GMAIL = "gmail"
    TRANSPORT = "transport"  # the network: no reply came
    OWN = "own"  # we did not even try


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known about an attempt beside its reply.

    `grant` is the OAuth2 grant type in use, `port` and `host` are the relay's. `token_is_fresh` is false while the
    token may still be renewed: some refusals then only ask for that.
    """

    service: Service
    auth_type: str
    grant: str | None = None
    port: int | None = None
    host: str | None = None
    token_is_fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A reply and its circumstances, made ready for comparison once."""

    phase: Phase
    code: str | None
    status: Status | None
    text: str
    challenge: str | None
    circumstances: Circumstances

    @classmethod
    def of(cls, reply: Reply, circumstances: Circumstances) -> Self:
        """The failure that `reply` tells of; its text as one line, without the codes at the head of each."""
        return cls(
            phase=reply.phase,
            code=None if reply.code is None else str(reply.code),
            status=_status(reply.enhanced),
            text=" ".join(_LINE_HEAD.sub("", reply.text[:_TEXT_LIMIT]).split()),
            challenge=None if reply.challenge is None else str(reply.challenge.get("status", "")),
            circumstances=circumstances,
        )


def _status(enhanced: str | None) -> Status | None:
    match = _STATUS.fullmatch(enhanced or "")
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRange:
    """Enhanced status codes from `low` to `high`, both included."""

    low: Status
    high: Status

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `5.7.139` (one code), `4.7.500-699` (a range) or `5.1` (a subject)."""
        head, _, last = text.partition("-")
        parts = [int(part) for part in head.split(".")]
        low, high = [*parts, 0], [*parts, 999]
        return cls(low=(low[0], low[1], low[2]), high=(high[0], high[1], int(last) if last else high[2]))

    @property
    def is_exact(self) -> bool:
        """Whether it names a single code."""
        return self.low == self.high

    def __contains__(self, status: Status) -> bool:
        """Whether `status` lies in the range."""
        return self.low <= status <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What is asked of a failure; an empty field asks nothing.

    `codes` are basic codes or `4yz` and `5yz`; `pattern` is a regular expression, searched without regard to case in
    the text as one line; `hosts` are domains that the relay is in; `challenge` are the statuses of a SASL error
    challenge, and the empty set asks for none.
    """

    phases: frozenset[Phase] = frozenset()
    codes: frozenset[str] = frozenset()
    enhanced: tuple[StatusRange, ...] = ()
    pattern: str | None = None
    auth: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()
    hosts: frozenset[str] = frozenset()
    challenge: frozenset[str] | None = None

    @property
    def specificity(self) -> tuple[int, ...]:
        """How narrow it is, for ordering: what the server says in its own words counts before its codes."""
        return (
            bool(self.challenge),
            self.pattern is not None,
            self._narrowness_of_enhanced(),
            bool(self.auth) + bool(self.grants) + bool(self.ports) + bool(self.hosts),
            bool(self.codes),
            bool(self.phases),
        )

    def holds(self, failure: Failure) -> bool:
        """Whether `failure` is what the condition asks for."""
        return (
            (not self.phases or failure.phase in self.phases)
            and self._holds_for_circumstances(failure.circumstances)
            and self._holds_for_codes(failure)
            and (self.challenge is None or self._holds_for_challenge(failure.challenge))
            and (self.pattern is None or _compiled(self.pattern).search(failure.text) is not None)
        )

    def _narrowness_of_enhanced(self) -> int:
        return max((1 + status.is_exact for status in self.enhanced), default=0)

    def _holds_for_circumstances(self, known: Circumstances) -> bool:
        return (
            (not self.auth or known.auth_type in self.auth)
            and (not self.grants or known.grant in self.grants)
            and (not self.ports or known.port in self.ports)
            and (not self.hosts or any(_is_in(known.host, domain) for domain in self.hosts))
        )

    def _holds_for_codes(self, failure: Failure) -> bool:
        if self.codes and (failure.code is None or self.codes.isdisjoint({failure.code, f"{failure.code[0]}yz"})):
            return False
        return not self.enhanced or any(failure.status in status for status in self.enhanced if failure.status)

    def _holds_for_challenge(self, challenge: str | None) -> bool:
        return challenge in self.challenge if self.challenge else challenge is None


def _is_in(host: str | None, domain: str) -> bool:
    name = (host or "").lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
