"""Every sample of the remedies as the replies that it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from tocsin.model.condition import Circumstances, Service
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERED_PHASES = (Phase.CONNECT, Phase.TLS, Phase.EHLO, Phase.AUTH, Phase.MAIL, Phase.RCPT, Phase.DATA)
"""The phases in which a relay replies."""

AUTH_TYPES = ("none", "password", "oauth2")
_SAMPLE = re.compile(r"(?:(\d{3}) )?(?:([245]\.\d{1,3}\.\d{1,3}) )?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reply under its circumstances, and the entry of the file that must know it."""

    entry: dict[str, Any]
    reply: Reply
    circumstances: Circumstances


def reply_from(text: str, *, phase: Phase, challenge: str | None = None) -> Reply:
    """A reply as a session hands it over; without a code at its head it is what happened instead of one.

    As there, an enhanced code whose class is not that of the code stays in the text only.
    """
    match = _SAMPLE.fullmatch(text)
    assert match is not None
    code, enhanced, rest = match.groups()
    return Reply(
        phase=phase,
        code=int(code) if code else None,
        enhanced=enhanced if enhanced and code and enhanced[0] == code[0] else None,
        text=f"{enhanced} {rest}" if enhanced else rest,
        challenge=None if challenge is None else {"status": challenge},
    )


def samples_of(entry: dict[str, Any]) -> Iterator[Sample]:
    """One sample for each phase and circumstance that the entry speaks of."""
    service = Service(entry.get("service", "smtp"))
    if service in {Service.TRANSPORT, Service.OWN}:
        service = Service.SMTP
    for when in entry["when"]:
        for phase, auth_type, grant, port, host, challenge in product(
            [Phase(phase) for phase in when.get("phases", ANSWERED_PHASES)],
            when.get("auth", AUTH_TYPES),
            when.get("grants", [None]),
            when.get("ports", [587]),
            [f"relay.{domain}" for domain in when["hosts"]] if "hosts" in when else [None],
            when.get("challenge") or [None],
        ):
            yield Sample(
                entry=entry,
                reply=reply_from(when["sample"], phase=phase, challenge=challenge),
                circumstances=Circumstances(service=service, auth_type=auth_type, grant=grant, port=port, host=host),
            )
