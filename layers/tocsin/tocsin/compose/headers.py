"""Header fields, encoded and folded by ourselves: each whole, with its name and folds, without its last line end.

The standard library's folder (3.13) breaks long non-ASCII names, encodes addr-specs as words and loses quotes.
"""

from __future__ import annotations

import base64
import re
import textwrap
from datetime import UTC
from email.utils import format_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from tocsin.compose.values import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.address import Address

_FOLD_AT = 76  # RFC 2047 section 2: a line with encoded-words is no longer
_AROUND_WORD = len("=?utf-8?b??=")
_LONGEST_LINE_OCTETS = 998  # RFC 5322 section 2.1.1, RFC 6532 section 3.4
_NAME_CHARACTERS = 120
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def text_header(name: str, text: str, *, utf8: bool) -> str:
    """Make an unstructured field, such as Subject, of text that is one line."""
    return f"{name}: {_unstructured(name, text, utf8=utf8)}"


def address_header(name: str, display_name: str | None, address: Address, *, utf8: bool) -> str:
    """Make a field of one mailbox (RFC 5322 section 3.4). The addr-spec is never an encoded-word."""
    header = phrase_header(name, display_name, f"<{address}>", utf8=utf8)
    return header if header != f"{name}: <{address}>" else f"{name}: {address}"


def phrase_header(name: str, phrase: str | None, bracketed: str, *, utf8: bool) -> str:
    """Make a field of what stands in angle brackets, ASCII or an addr-spec, and of words that people read before it."""
    words = _phrase(name, one_line(phrase or "", limit=_NAME_CHARACTERS), utf8=utf8)
    if not words:
        return f"{name}: {bracketed}"
    last_line = f"{name}: {words}".rpartition("\r\n")[2]
    fits = len(last_line) + 1 + len(bracketed) <= _FOLD_AT
    return f"{name}: {words} {bracketed}" if fits else f"{name}: {words}\r\n {bracketed}"


def date_header(name: str, at: datetime) -> str:
    """Make a date-time field, in UTC."""
    return f"{name}: {_date(at.replace(microsecond=0))}"


def token_header(name: str, value: str) -> str:
    """Make a field of a value that is ours or has been checked: printable ASCII, no folds."""
    return f"{name}: {value}"


@lru_cache(maxsize=16)
def _date(at: datetime) -> str:
    """Write a whole second, in which many mails are made."""
    return format_datetime(at.astimezone(UTC))


def _unstructured(name: str, text: str, *, utf8: bool) -> str:
    lines = textwrap.wrap(text, _FOLD_AT - len(name) - 2, break_long_words=False, break_on_hyphens=False)
    fits = all(len(f"{name}: {line}".encode()) <= _LONGEST_LINE_OCTETS for line in lines)
    return "\r\n ".join(lines) if fits and _is_verbatim(text, utf8=utf8) else _encoded_words(name, text)


def _phrase(name: str, text: str, *, utf8: bool) -> str:
    if not _is_verbatim(text, utf8=utf8):
        return _encoded_words(name, text)
    if not text or (_ATOMS.fullmatch(text) and len(text) < _FOLD_AT):
        return text
    return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'


def _is_verbatim(text: str, *, utf8: bool) -> bool:
    """Whether a reader sees `text` as it is: something that looks like an encoded-word would be decoded."""
    return (utf8 or text.isascii()) and "=?" not in text


def _encoded_words(name: str, text: str) -> str:
    """Encode by RFC 2047, whole characters to a word; the white space between words is not part of the text.

    As few words as can be: Python 3.13.0 and others like it read a space between two of them into a display name.
    """
    chunks, room = [b""], _word_octets(len(f"{name}: "))
    if len(octets := text.encode()) <= room:
        return _encoded_word(octets)
    for character in text:
        octets = character.encode()
        if len(chunks[-1]) + len(octets) > room:
            chunks.append(b"")
            room = _word_octets(1)
        chunks[-1] += octets
    return "\r\n ".join(map(_encoded_word, chunks))


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode()}?="


def _word_octets(before: int) -> int:
    """How many octets a word can hold, `before` characters into its line, at four characters for three octets."""
    return (_FOLD_AT - before - _AROUND_WORD) // 4 * 3
