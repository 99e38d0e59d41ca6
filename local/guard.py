"""The guard of local servers: a web page that the user happens to visit must not reach them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    type Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})
HTTP_API = "/_aws/execute-api/"
"""Where the engine serves the stack's HTTP API, which is public in the cloud as well and guards itself."""


def guarded(application: Application) -> Application:
    """The ASGI application, answering 403 to browsers of other origins and to names that are not this machine's.

    What passes counts as come by TLS (`aws:SecureTransport`): nobody but this machine has seen it. Requests to the
    stack's HTTP API pass as they are, from pages too.
    """

    async def guard(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401  (ASGI's own)
        if scope["type"] == "lifespan" or _is_for_api(scope):
            await application(scope, receive, send)
        elif _is_local(scope["headers"]):
            headers = [*scope["headers"], (b"x-forwarded-proto", b"https")]
            await application({**scope, "headers": headers}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send)

    return guard


def is_local_host(host: str) -> bool:
    """Whether a Host header names this machine: a foreign name that resolves to loopback is DNS rebinding."""
    return host.rpartition(":")[0] in LOCAL_NAMES or host in LOCAL_NAMES


_API_PATH = re.compile(rf"{HTTP_API}[a-z0-9]+/.*")
"""With an API's id: without one the engine takes the request for a call of its services."""


def _is_for_api(scope: MutableMapping[str, Any]) -> bool:
    return scope["type"] == "http" and bool(_API_PATH.fullmatch(scope["path"])) and _is_local_name(scope["headers"])


def _is_local(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    headers = list(headers)
    return _is_local_name(headers) and not any(name.lower() == b"origin" for name, _ in headers)


def _is_local_name(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    values = {name.lower(): value.decode("latin-1") for name, value in headers}
    return is_local_host(values.get(b"host", ""))


async def _refuse(send: Any) -> None:  # noqa: ANN401  (ASGI's own)
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Only programs on this machine may call the local engine.\n"})
