"""What the relay can be told to do at a step, instead of what a good relay does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Say:
    """Write a reply: its lines as they are, LF between them becomes CRLF, and CRLF is added.

    `then_close` closes the connection behind it, `then_hang` hangs. `split` writes each octet in a packet of its own.
    A 354 that is said so does not make the relay take what follows for content.
    """

    text: str
    then_close: bool = False
    then_hang: bool = False
    split: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing more until the relay is stopped."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection without a word."""


@dataclass(frozen=True, slots=True)
class Trickle:
    """Write a reply octet by octet, each `seconds` after the one before."""

    text: str
    seconds: float = 0.05


@dataclass(frozen=True, slots=True)
class Flood:
    """Write a reply of so many octets, in lines of 80 or, with `one_line`, without any line end."""

    octets: int = 10_000_000
    one_line: bool = False


type Action = Say | Hang | Close | Trickle | Flood
type Script = Mapping[str, Action | Sequence[Action | None]]
