"""Replies as a relay writes them: lines of octets into one whole `Reply` (RFC 5321 section 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tocsin.model.reply import Reply

if TYPE_CHECKING:
    from tocsin.model.reply import Phase

_REMEMBERED = 128  # a relay says the same few lines to each of thousands of mails

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\S)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLine:
    """One line of a reply; `is_last` is false where a hyphen follows the code."""

    code: int
    text: str
    is_last: bool

    @staticmethod
    @lru_cache(_REMEMBERED)
    def parse(octets: bytes) -> ReplyLine | None:
        """Read a line with or without its line end; None where it is no reply line."""
        match = _LINE.fullmatch(octets.rstrip(b"\r\n"))
        if match is None:
            return None
        code, separator, octets = match.groups(b"")
        text = octets.decode(errors="replace")
        if not text.isprintable():
            text = _CONTROL.sub(" ", text)
        return ReplyLine(code=int(code), text=text, is_last=separator != b"-")


@lru_cache(_REMEMBERED)
def assemble(lines: tuple[ReplyLine, ...], phase: Phase) -> Reply | None:
    """Join the lines of one reply, each kept as it is, by LF; None where their codes differ."""
    first = lines[0]
    if len({line.code for line in lines}) > 1:
        return None
    enhanced = _ENHANCED.match(first.text)
    agrees = enhanced is not None and enhanced[1][0] == str(first.code)[0]
    return Reply(
        phase=phase,
        code=first.code,
        text="\n".join([line.text for line in lines]),
        enhanced=enhanced[1] if enhanced and agrees else None,
    )
