"""What a browser brings back from the identity provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.actions.authorize_callback import Returned

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 8_000  # characters of a code; Microsoft's have some 1,500
_LONGEST_TEXT = 1_000


def returned(event: dict[str, Any]) -> Returned:
    """The parameters that concern us, cut to what they may sensibly be, and the cookies."""
    query = event.get("queryStringParameters") or {}
    return Returned(
        state=query.get("state", "")[:_LONGEST_TEXT],
        code=query.get("code", "")[:_LONGEST] or None,
        error=query.get("error", "")[:_LONGEST_TEXT] or None,
        error_description=query.get("error_description", "")[:_LONGEST_TEXT] or None,
        cookies=dict(_cookies(event)),
    )


def _cookies(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """From API Gateway's array and from the header: whoever calls us may fill only one of them."""
    header = next((value for name, value in (event.get("headers") or {}).items() if name.lower() == "cookie"), "")
    for cookie in (*header.split(";"), *(event.get("cookies") or ())):
        name, _, value = cookie.strip().partition("=")
        yield name, value
