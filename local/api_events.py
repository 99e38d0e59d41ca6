"""What the engine's HTTP API leaves out when it asks functions, and what it fails on when they answer."""

from __future__ import annotations

from typing import Any

type Event = dict[str, Any]


def as_api_gateway_sends(event: Any) -> Any:  # noqa: ANN401  (of any function, so of any shape)
    """The event of an HTTP API with `cookies` as a list of their own, not as a header; any other as it is."""
    if not _is_of_http_api(event) or "cookie" not in event["headers"]:
        return event
    headers = dict(event["headers"])
    cookies = [cookie.strip() for cookie in headers.pop("cookie").split(";")]
    return event | {"headers": headers, "cookies": [cookie for cookie in cookies if cookie]}


def as_api_gateway_reads(answer: Any) -> Any:  # noqa: ANN401  (as above)
    """A function's answer in which a body of null, which the engine fails on, is an empty one."""
    if isinstance(answer, dict) and "body" in answer and answer["body"] is None:
        return answer | {"body": ""}
    return answer


def _is_of_http_api(event: Any) -> bool:  # noqa: ANN401  (as above)
    return isinstance(event, dict) and event.get("version") == "2.0" and "http" in event.get("requestContext", {})
