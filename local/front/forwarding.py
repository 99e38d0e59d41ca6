"""What a proxy changes on the way: hop-by-hop fields go, the client's address is added, everything else stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    type Fields = Sequence[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields between two neighbours (RFC 9110 section 7.6.1)."""

MADE_BY_US = frozenset({"content-length", "forwarded"})
FORWARDED = "x-forwarded-"


def to_api(fields: Fields, *, client: str, port: int, octets: int) -> list[tuple[str, str]]:
    """A request's fields for the API. What a client says of its own way here is not believed."""
    kept = [
        (name, value)
        for name, value in end_to_end(fields)
        if name.lower() not in MADE_BY_US and not name.lower().startswith(FORWARDED)
    ]
    host = next((value for name, value in kept if name.lower() == "host"), "")
    way = {"for": client, "host": host, "port": str(port), "proto": "http"}
    length = [("content-length", str(octets))] if octets else []
    return [*kept, *((FORWARDED + name, value) for name, value in way.items()), *length]


def end_to_end(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The fields that concern more than two neighbours, those that `Connection` names left out too."""
    fields = list(fields)
    named = {
        token.strip().lower() for name, value in fields if name.lower() == "connection" for token in value.split(",")
    }
    return [(name, value) for name, value in fields if name.lower() not in HOP_BY_HOP | named]
