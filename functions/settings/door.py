"""What every request is asked for before its route sees it: a body of bearable size, in JSON, and an object."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_BODY = 64 * 1024
"""Octets; the largest of our bodies holds a key file and a signature."""

_DEEPEST = 32
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"


class NotAdmitted(Exception):
    """The body is answered with `status` and goes no further. The text holds nothing of it."""

    def __init__(self, status: int, text: str, *, remedy: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.remedy = remedy


def admit(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with its body as text, and that text called JSON.

    Raises:
        NotAdmitted: the body is too long, of another kind, or not JSON.
    """
    method = event["requestContext"]["http"]["method"].upper()
    if method not in _WITH_BODY or not event.get("body"):
        return {**event, "body": None, "isBase64Encoded": False}
    headers = event.get("headers") or {}
    _check_kind(headers.get("content-type"), method)
    text = _text(event["body"], is_base64=event.get("isBase64Encoded", False))
    _check_form(text)
    return {**event, "body": text, "isBase64Encoded": False, "headers": {**headers, "content-type": _JSON}}


def _check_kind(content_type: str | None, method: str) -> None:
    kind = (content_type or _JSON).partition(";")[0].strip().lower()
    wanted = (_JSON, _MERGE_PATCH) if method == "PATCH" else (_JSON,)
    if kind not in wanted:
        raise NotAdmitted(
            415, "The body is not in JSON, as its content type says.", remedy=f"Send Content-Type: {wanted[-1]}."
        )


def _text(body: str, *, is_base64: bool) -> str:
    try:
        octets = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        if len(octets) > LONGEST_BODY:
            raise NotAdmitted(413, f"The body is longer than {LONGEST_BODY // 1024} kB.")
        return octets.decode()
    except (UnicodeError, binascii.Error):
        raise NotAdmitted(400, "The body is not text in UTF-8.") from None


def _check_form(text: str) -> None:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotAdmitted(400, "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise NotAdmitted(422, "The body is not a JSON object.")
    if _is_too_deep(value):
        raise NotAdmitted(422, f"The body is nested deeper than {_DEEPEST} levels.")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and Infinity are Python's, not JSON's


def _is_too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return False
    return True


def _within(value: object) -> list[object]:
    match value:
        case dict():
            return [*value.values()]
        case list():
            return value
        case _:
            return []
