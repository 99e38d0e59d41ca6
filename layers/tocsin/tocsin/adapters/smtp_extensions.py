"""What a relay offers in its reply to EHLO (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIZE_DIGITS = 20  # RFC 1870 section 3


@dataclass(frozen=True, slots=True)
class Extensions:
    """Keywords in upper case, each with its parameters."""

    parameters: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse(cls, text: str) -> Extensions:
        """Read the text of the reply: the relay's greeting, then a keyword on each line."""
        parameters: dict[str, tuple[str, ...]] = {}
        for line in text.split("\n")[1:]:
            keyword, *values = line.upper().replace("=", " ").split() or [""]  # old servers write AUTH=LOGIN
            parameters[keyword] = parameters.get(keyword, ()) + tuple(values)
        return cls(parameters)

    def __contains__(self, keyword: str) -> bool:
        """Whether the relay offers `keyword`."""
        return keyword in self.parameters

    @property
    def auth_mechanisms(self) -> frozenset[str]:
        """The SASL mechanisms it takes."""
        return frozenset(self.parameters.get("AUTH", ()))

    @property
    def size_limit(self) -> int | None:
        """The largest message it takes, in octets (RFC 1870); None where it names no limit."""
        size = next(iter(self.parameters.get("SIZE", ())), "")
        is_number = size.isascii() and size.isdigit() and len(size) <= _SIZE_DIGITS
        return (int(size) or None) if is_number else None
