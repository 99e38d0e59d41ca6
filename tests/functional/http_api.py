"""What API Gateway hands to a function behind an HTTP API (payload 2.0), and what a function answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.functional.conftest import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: str

    @property
    def json(self) -> Json:
        """The body, read."""
        content: Json = json.loads(self.body)
        return content


def call(
    handler: Handler,
    method: str,
    target: str,
    *,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
    claims: Mapping[str, str] | None = None,
) -> Answer:
    """Call `handler` as API Gateway would; `target` is path and query. A token that says nothing of it has an end."""
    path, _, query = target.partition("?")
    said = {"exp": "1800000000", **claims} if claims is not None else {}
    authorizer = {"authorizer": {"jwt": {"claims": said, "scopes": None}}} if claims is not None else {}
    event: Json = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", "host": "evil.example", **(headers or {})},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "stage": "$default",
            "requestId": "request",
            **authorizer,
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if cookies:
        event["cookies"] = list(cookies)
    if body is not None:
        event["body"] = body
    answer = handler(event, Context(seconds=29.0))
    return Answer(
        status=answer["statusCode"],
        headers={name.lower(): value for name, value in answer.get("headers", {}).items()},
        cookies=tuple(answer.get("cookies", ())),
        body=answer.get("body") or "",
    )
