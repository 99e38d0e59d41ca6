"""What the identity provider can be told to do with a request, instead of what a good one does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Say:
    """Answer so. A body that is no text is written as JSON; `cut` leaves out its last octets, which are announced.

    `over` holds what a good answer's JSON fields are overlaid with instead: the request is carried out, and a value of
    None leaves the field out.
    """

    status: int = 200
    body: object = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    over: Mapping[str, object] | None = None

    @property
    def octets(self) -> bytes:
        """The body as it is written."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing until the provider is stopped."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection without a word; `after` the request was carried out, or before."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Drip:
    """Write an answer octet by octet, each `seconds` after the one before, without end; in its head or its body."""

    seconds: float = 0.02
    part: str = "body"


@dataclass(frozen=True, slots=True)
class Flood:
    """Write an answer of so many octets."""

    octets: int = 10_000_000


type Action = Say | Hang | Close | Drip | Flood
type Script = Mapping[str, Action | Sequence[Action]]
