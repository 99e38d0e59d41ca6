"""Rendered texts whose lines are encoded once, with places for what is each recipient's own."""

from __future__ import annotations

import secrets
from binascii import b2a_base64
from dataclasses import dataclass
from email.quoprimime import body_encode
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LINE = 76  # RFC 2045 sections 6.7 and 6.8


class Body:
    """One text. Filling it encodes anew only the lines that hold a place, unless the whole becomes base64."""

    def __init__(self, text: str, places: Places) -> None:
        octets = text.encode()
        fixed = _Text.of(octets, places).fixed
        self._octets, self._non_ascii = len(fixed), _non_ascii(fixed)
        lines = [_Text.of(line, places) for line in octets.splitlines() or [b""]]
        self._whole = _Text.of(b"\r\n".join([*octets.splitlines(), b""]) or b"\r\n", places)
        self._pieces = tuple(_pieces(lines))

    @property
    def names(self) -> frozenset[str]:
        """The names of its places: the values that it is filled with."""
        return frozenset(self._whole.names)

    def fill(self, values: Mapping[str, bytes]) -> tuple[str, bytes]:
        """Give the name of the transfer encoding and the encoded lines.

        Quoted-printable triples each non-ASCII octet, base64 adds a third to all: the shorter one is taken.
        """
        own = b"".join(values[name] for name in self._whole.names)
        if 6 * (self._non_ascii + _non_ascii(own)) > self._octets + len(own):
            return "base64", _base64(self._whole.fill(values))
        lines = (piece if isinstance(piece, bytes) else _quoted([piece.fill(values)]) for piece in self._pieces)
        return "quoted-printable", b"".join(lines)


class Places:
    """Stand-ins for values, for templates to show. No text can hold one by chance or by design."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(16)

    def stand_in(self, name: str) -> str:
        """Give the stand-in for the value `name`: no white space, and nothing that HTML would escape."""
        return f"{self._nonce}.{name}."

    def split(self, octets: bytes) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
        """Give what stands before, between and after the stand-ins, and the names of these."""
        first, *rest = octets.split(f"{self._nonce}.".encode())
        parts = [part.partition(b".") for part in rest]
        return (first, *(literal for _, _, literal in parts)), tuple(name.decode() for name, _, _ in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """Octets before, between and after the places that `names` names, in order."""

    literals: tuple[bytes, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, octets: bytes, places: Places) -> _Text:
        literals, names = places.split(octets)
        return cls(literals=literals, names=names)

    @property
    def fixed(self) -> bytes:
        return b"".join(self.literals)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        rest = zip(self.names, self.literals[1:], strict=True)
        return self.literals[0] + b"".join(values[name] + literal for name, literal in rest)


def _pieces(lines: Iterable[_Text]) -> Iterable[bytes | _Text]:
    """Encode the lines that stay as they are, and leave those with places. No line's encoding depends on another's."""
    for has_places, group in groupby(lines, key=lambda line: bool(line.names)):
        if has_places:
            yield from group
        else:
            yield _quoted(line.fixed for line in group)


def _quoted(lines: Iterable[bytes]) -> bytes:
    text = b"".join(line + b"\n" for line in lines).decode("latin-1")  # a character for each octet
    return body_encode(text, _LINE, "\r\n").encode("ascii")


def _base64(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    return b"".join(encoded[start : start + _LINE] + b"\r\n" for start in range(0, len(encoded), _LINE))


def _non_ascii(octets: bytes) -> int:
    return 0 if octets.isascii() else len(octets) - len(octets.decode().encode("ascii", "ignore"))
