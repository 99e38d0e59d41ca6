"""HTTP for the identity provider: requests in, good or spoilt answers out."""

from __future__ import annotations

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from tests.identity_provider.actions import Close, Drip, Flood, Hang, Say
from tests.identity_provider.refusal import Refused

if TYPE_CHECKING:
    import ssl

    from tests.identity_provider.actions import Action
    from tests.identity_provider.provider import IdentityProvider, Received

_HANDSHAKE_SECONDS = 5.0


class Handler(BaseHTTPRequestHandler):
    """One connection with one request."""

    def setup(self) -> None:
        """Begin TLS in this connection's own thread, where it is spoken."""
        if hasattr(self.request, "do_handshake"):
            connection = cast("ssl.SSLSocket", self.request)
            connection.settimeout(_HANDSHAKE_SECONDS)
            connection.do_handshake()
            connection.settimeout(None)
        super().setup()

    def do_GET(self) -> None:
        """Authorize, or tell who it is."""
        self._handle(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        """Give tokens."""
        form = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._handle(dict(parse_qsl(form.decode(), keep_blank_values=True)))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def _provider(self) -> IdentityProvider:
        provider: IdentityProvider = cast("Any", self.server).provider
        return provider

    def _handle(self, fields: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = self._provider.received(self.path, fields, headers)
        action = self._provider.told(request)
        with suppress(OSError):  # the client went away
            self._act(request, action)

    def _act(self, request: Received, action: Action | None) -> None:
        match action:
            case None:
                self._answer(request, {})
            case Say(over=None):
                self._write(action.status, action.octets, dict(action.headers), cut=action.cut)
            case Say():
                self._answer(request, dict(action.over or {}))
            case Hang():
                self._provider.stopped.wait()
            case Close():
                if action.after:
                    self._provider.token_answer(request)
            case Drip():
                self._drip(action)
            case Flood():
                self._write(200, b" " * action.octets, {})

    def _answer(self, request: Received, over: dict[str, object]) -> None:
        if request.endpoint == "authorize":
            self._write(302, b"", {"Location": self._provider.redirect(request.fields)})
            return
        try:
            fields = self._good(request)
        except Refused as refused:
            self._write(refused.status, json.dumps(refused.fields).encode(), {})
            return
        fields = {name: value for name, value in {**fields, **over}.items() if value is not None}
        self._write(200, json.dumps(fields).encode(), {"Content-Type": "application/json"})

    def _good(self, request: Received) -> dict[str, Any]:
        if request.endpoint == "userinfo":
            return self._provider.userinfo(request.headers.get("authorization", ""))
        return self._provider.token_answer(request)

    def _write(self, status: int, body: bytes, headers: dict[str, str], *, cut: int = 0) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) - cut])

    def _drip(self, action: Drip) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if action.part == "body" else b"X-Slow: "))
        while not self._provider.stopped.wait(action.seconds):
            self.wfile.write(b"a")
            self.wfile.flush()
