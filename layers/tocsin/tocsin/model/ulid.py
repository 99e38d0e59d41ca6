"""ULIDs: ids that sort by the time they were made, and that nobody guesses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

RANDOM_OCTETS = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_CHARACTERS = 26
_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.ASCII)


def ulid(at: datetime, randomness: bytes) -> str:
    """48 bits of milliseconds and 80 random bits, as 26 characters."""
    number = int(at.timestamp() * 1000) << 80 | int.from_bytes(randomness[:RANDOM_OCTETS])
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_CHARACTERS)))


def is_ulid(text: str) -> bool:
    """Whether `text` is one, in capitals."""
    return _PATTERN.fullmatch(text) is not None
