"""Who asks for an address of a mail: as far as a request tells, a person's program, or a machine that looks ahead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_AHEAD = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
_SAYS_SO = ("purpose", "sec-purpose", "x-moz", "x-purpose")

_NO_BROWSER = re.compile(
    r"(?<!cu)bot\b|crawl|spider|scan|preview|prefetch|monitor|validator|externalhit|headless|barracuda|mimecast|proofpoint"
    r"|safelinks|urlcheck|whatsapp|curl|wget|python|aiohttp|httpx|go-http|java/|apache-http|libwww|node|axios",
    re.IGNORECASE,
)
"""Words in the names of link checkers, chat programs that show a preview, and libraries."""

_APPLE_FETCHES_ALL = "Mozilla/5.0"
"""All that Apple's Mail Privacy Protection says of itself: it fetches every picture, read or not."""


def is_machine(method: str, headers: Mapping[str, str]) -> bool:
    """Whether nobody looked at it. `headers` go by their names in lower case; nothing of them is kept.

    Gmail's and Yahoo's picture proxies ask when somebody opens a mail, so they count as people.
    """
    agent = headers.get("user-agent", "").strip()
    looks_ahead = any(_AHEAD.search(headers.get(name, "")) for name in _SAYS_SO)
    return method == "HEAD" or looks_ahead or agent in {"", _APPLE_FETCHES_ALL} or bool(_NO_BROWSER.search(agent))
