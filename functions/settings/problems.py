"""Problems as RFC 9457 writes them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from functions.settings.answers import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Response


def problem(
    status: int,
    detail: str,
    *,
    remedy: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """A problem without a type of its own: its title is the status's."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if remedy is not None:
        content["remedy"] = remedy
    if errors is not None:
        content["errors"] = errors
    return answer(content, status=status, headers=headers, content_type="application/problem+json")
