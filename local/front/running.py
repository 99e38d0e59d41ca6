"""The front, running: its address is known before the API that it leads to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.front.web import web_server
from local.ports import HOST, usable_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

PREFERRED_PORT = 8080
CALLBACK_PATH = "/oauth/callback"


class Front:
    """Where the front is. It answers 503 until it is told where the API is."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._api_url: str | None = None

    @property
    def url(self) -> str:
        """What the stack takes as its `PublicBaseUrl`."""
        return f"http://localhost:{self.port}"

    @property
    def redirect_uri(self) -> str:
        """Where identity providers send people back to."""
        return self.url + CALLBACK_PATH

    def lead_to(self, stack: Stack) -> None:
        """Send requests to the stack's API from now on."""
        self._api_url = f"{stack.endpoint_url}/_aws/execute-api/{stack.resources['Api']}"

    def api_url(self) -> str | None:
        """Where requests go; None before `lead_to`."""
        return self._api_url


@contextmanager
def running_front(*, port: int | None = None) -> Iterator[Front]:
    """Serve until the block ends."""
    front = Front(port or usable_port())
    with web_server(front.api_url, host=HOST, port=front.port) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="front", daemon=True
        )
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
