"""What another side says, without what we sent it: some servers repeat a login that they refuse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONG_SECRET = 8
_NOTHING = r"(?!)"


def masked(text: str, sent: Iterable[str]) -> str:
    """The text with *** for each of the secrets that we sent, in whatever form they are given."""
    return re.sub("|".join(map(_anywhere, sorted(filter(None, sent), key=len, reverse=True))) or _NOTHING, "***", text)


def _anywhere(secret: str) -> str:
    """A pattern for it; a short one counts as a word of its own only, lest it be found in every other."""
    pattern = re.escape(secret)
    return pattern if len(secret) >= _LONG_SECRET else rf"(?<!\w){pattern}(?!\w)"
