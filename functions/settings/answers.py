"""Answers in JSON, which nobody may keep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(
    content: dict[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> Response[str]:
    """An answer with content."""
    return Response(
        status_code=status, content_type=content_type, body=json.dumps(content), headers={**_ALWAYS, **(headers or {})}
    )


def nothing() -> Response[str]:
    """The answer to what is done and has nothing to show."""
    return Response(status_code=204, headers=dict(_ALWAYS))
