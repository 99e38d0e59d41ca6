"""File names as parameters of header fields: quoted where that is read everywhere, else by RFC 2231."""

from __future__ import annotations

import re
from urllib.parse import quote

_ROOM = 60  # characters of a value, so that its line stays within 78
_ROOM_ENCODED = 54  # the same, behind a longer name
_PLAIN = re.compile(r"[A-Za-z0-9 ._+()&,@#=-]+")


def file_name_parameter(name: str) -> str:
    """Give the parameter `filename` of a clean name, on lines of its own."""
    if _PLAIN.fullmatch(name) and len(name) <= _ROOM:
        return plain_parameter("filename", name)
    pieces = _pieces(name)
    if len(pieces) == 1:
        return f";\r\n filename*=utf-8''{pieces[0]}"
    charsets = ["utf-8''", *[""] * (len(pieces) - 1)]
    return "".join(
        f";\r\n filename*{number}*={charset}{piece}"
        for number, (charset, piece) in enumerate(zip(charsets, pieces, strict=True))
    )


def plain_parameter(parameter: str, value: str) -> str:
    """Give a parameter of letters that need no encoding, on a line of its own."""
    return f';\r\n {parameter}="{value}"'


def _pieces(name: str) -> list[str]:
    """Percent-encode, whole characters to a piece: some programs decode each piece by itself."""
    pieces = [""]
    for character in name:
        encoded = quote(character, safe="")
        if len(pieces[-1]) + len(encoded) > _ROOM_ENCODED:
            pieces.append("")
        pieces[-1] += encoded
    return pieces
