"""Presets: what is known of a mail provider before anybody has an account there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tocsin.model.grant import GrantType
from tocsin.model.mail_account import Port, Security

if TYPE_CHECKING:
    from tocsin.model.mail_account import Limits

type Transport = Literal["smtp", "graph", "gmail", "ses"]
type AuthType = Literal["none", "password", "oauth2"]
type RelayField = Literal["relay.host", "relay.port", "relay.security"]

AVAILABLE_TRANSPORTS: frozenset[Transport] = frozenset({"smtp"})
"""What mail can go out by; the others are known, and to come."""

_LIMITS = ("per_minute", "per_day")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Placeholder(_Data):
    """What stands in braces in a host; `pattern` is all that it may be."""

    pattern: str
    example: str


class DefaultLimits(_Data):
    """What the provider allows, or what is wise there; None: not known, so no limit."""

    connections: Annotated[int, Field(ge=1, le=100)] | None = None
    per_minute: Annotated[int, Field(ge=1)] | None = None
    per_day: Annotated[int, Field(ge=1)] | None = None


class Preset(_Data):
    """One entry of `data/presets.toml`, which explains the fields."""

    id: str
    aliases: tuple[str, ...] = ()
    name: str
    host: str | None = None
    other_hosts: tuple[str, ...] = ()
    placeholders: dict[str, Placeholder] = {}
    port: Port
    tls: tuple[Port, ...] = ()
    starttls: tuple[Port, ...] = ()
    free: frozenset[RelayField] = frozenset()
    transports: tuple[Transport, ...] = ("smtp",)
    auth_types: tuple[AuthType, ...]
    identity_provider: str | None = None
    grants: tuple[GrantType, ...] = ()
    tenant_id: str | None = None
    username: str | None = None
    username_is: str | None = None
    password_is: str | None = None
    limits: DefaultLimits = DefaultLimits()
    notes: str | None = None
    guides: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that it has, the usual one first; some hold placeholders."""
        return (*(() if self.host is None else (self.host,)), *self.other_hosts)

    @property
    def known_host(self) -> str | None:
        """The usual host; None where an admin must name it, or complete it."""
        return None if self.host is None or "{" in self.host else self.host

    def has_host(self, host: str) -> bool:
        """Whether `host` is one of its hosts."""
        name = host.lower().rstrip(".")
        return any(self._pattern(known).fullmatch(name) for known in self.hosts)

    def _pattern(self, host: str) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", host)  # text and names of placeholders, in turn
        patterns = [
            f"(?:{self.placeholders[part].pattern})" if number % 2 else re.escape(part)
            for number, part in enumerate(parts)
        ]
        return re.compile("".join(patterns), re.ASCII)

    @property
    def ports(self) -> tuple[tuple[int, Security], ...]:
        """Every port with its security, the usual one first."""
        known = [*((port, Security.TLS) for port in self.tls), *((port, Security.STARTTLS) for port in self.starttls)]
        return tuple(sorted(known, key=lambda pair: (pair[0] != self.port, pair[0])))

    @property
    def security(self) -> Security:
        """That of the usual port."""
        return self.ports[0][1]

    @property
    def locked(self) -> frozenset[str]:
        """The fields of an account whose values the preset decides, by their paths."""
        locked = {"transport", "auth.type"}
        if self.host is not None:
            locked |= {"relay.host", "relay.port", "relay.security"} - self.free
        if self.username is not None:
            locked.add("auth.username")
        return frozenset(locked)

    def limits_for(self, limits: Limits) -> Limits:
        """The limits of an account: what its admin left open is as the provider has it."""
        left_open = {name for name in _LIMITS if getattr(limits, name) is None}
        return limits.model_copy(update=self.limits.model_dump(include=left_open))
