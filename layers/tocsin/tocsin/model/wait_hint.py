"""How long a reply asks us to wait, in its own words."""

from __future__ import annotations

import re
from datetime import timedelta

_LONGEST = timedelta(days=1)
_ASKED = r"(?:again|back|retry|wait|retry-after|(?:grey|gray)list(?:ed|ing)?)\D{0,40}"
_CLOCK = re.compile(_ASKED + r"(?<!\d)(\d{1,2}):(\d{2}):(\d{2})(?!\d)", re.IGNORECASE)
_LENGTH = re.compile(_ASKED + r"(?<!\d)(\d{1,6}) ?(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b", re.IGNORECASE)
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


def wait_hint(text: str) -> int | None:
    """The seconds that `text` (one line) asks for, at most a day; None where it names no length of time."""
    asked = _clock(text) or _length(text)
    return int(min(asked, _LONGEST).total_seconds()) if asked else None


def _clock(text: str) -> timedelta | None:
    found = _CLOCK.search(text)
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3])) if found else None


def _length(text: str) -> timedelta | None:
    found = _LENGTH.search(text)
    return int(found[1]) * _UNITS[found[2][0].lower()] if found else None
