"""How long a reply asks us to wait, in its own words."""

from __future__ import annotations

import re
from datetime import timedelta
from math import ceil

# Compiled when they are first used: a start without failures does not pay for it.
_ASKED = r"(?:again|back|retry|wait|(?:grey|gray)list(?:ed|ing)?)\D{0,40}"
_CLOCK = rf"{_ASKED}(?:(?<=\bin )|(?<=\bfor )|(?<=\bwait ))(\d{{1,2}}):(\d{{2}}):(\d{{2}})(?!\d)"
_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_PART = rf"({_NUMBER}) ?(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
_LENGTH = rf"{_ASKED}(?<![\w.])({_PART}(?:,? ?(?:and )?{_PART}){{0,3}})(?![\w@-])"  # no piece of an id, as 5d4ab1-20
_DIRECTLY = r"(?:retry[- ]after|(?:again|back|retry) (?:in|after)|wait(?: for)?)[ :=]{1,3}"
_BARE = rf"{_DIRECTLY}({_NUMBER})(?= ?(?:$|[),;\]]|\.(?!\d)))"

_LONGEST = timedelta(days=1)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def wait_hint(text: str) -> int | None:
    """The seconds that `text` (one line) asks for, at most a day; None where it names no length of time.

    A bare number counts seconds, as in HTTP. A time of day is no length.
    """
    asked = _clock(text) or _length(text) or _bare(text)
    return ceil(min(asked, _LONGEST).total_seconds()) if asked else None


def _clock(text: str) -> timedelta | None:
    found = re.search(_CLOCK, text, re.IGNORECASE)
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3])) if found else None


def _length(text: str) -> timedelta:
    found = re.search(_LENGTH, text, re.IGNORECASE)
    parts = re.findall(_PART, found[1], re.IGNORECASE) if found else []
    return sum((float(number) * _UNITS[unit[0].lower()] for number, unit in parts), timedelta(0))


def _bare(text: str) -> timedelta | None:
    found = re.search(_BARE, text, re.IGNORECASE)
    return timedelta(seconds=float(found[1])) if found else None
