"""The way out of requests: its sessions speak through our own exchange, and through nothing else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from tocsin.adapters.https import Request, port_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.adapters.https import Answer


class Transport(BaseAdapter):
    """A transport adapter that hands each request to `exchange`; what that raises passes through requests unchanged."""

    def __init__(self, exchange: Callable[[Request], Answer]) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Exchange; the arguments on time, proxies and certificates are not for us."""
        return _response(request, self._exchange(_plain(request)))

    def close(self) -> None:
        """Nothing is kept."""


def _plain(request: requests.PreparedRequest) -> Request:
    parts = urlsplit(request.url or "")
    body = request.body
    return Request(
        method=request.method or "GET",
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=port_of(parts.scheme, parts.port),
        target=request.path_url,
        headers=dict(request.headers),
        body=body.encode() if isinstance(body, str) else body,
    )


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = io.BytesIO(answer.body)
    response.request = request
    response.url = request.url or ""
    return response
