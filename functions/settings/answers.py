"""Answers in JSON, which nobody may keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer[Content](
    content: Content,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> Response[Content]:
    """An answer with content; on a route it is checked against the model that the route says it answers with."""
    return Response(status_code=status, content_type=content_type, body=content, headers={**_ALWAYS, **(headers or {})})


def nothing(*, status: int = 204, headers: Mapping[str, str] | None = None) -> Response[None]:
    """The answer to what is done, or known already, and has nothing to show."""
    return Response(status_code=status, headers={**_ALWAYS, **(headers or {})})
