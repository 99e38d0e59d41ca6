"""The front's web server, on loopback: each request goes on to the API, each answer comes back as it is."""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.front.forwarding import end_to_end, to_api
from local.guard import is_local_host

if TYPE_CHECKING:
    from collections.abc import Callable

MAXIMUM_BODY_OCTETS = 10 * 1024 * 1024  # as API Gateway's
API_SECONDS = 35  # API Gateway ends a call after 30, so the API answers first
IDLE_SECONDS = 30


def web_server(api_url: Callable[[], str | None], *, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens, and serves once `serve_forever` runs. `api_url` tells where the API is, once it is."""

    class Front(_Front):
        """The front of this API: the standard library makes a handler for each request by its class alone."""

    Front.api_url = staticmethod(api_url)
    server = ThreadingHTTPServer((host, port), Front)
    server.daemon_threads = True  # a browser's idle connection must not keep the program
    return server


class _Front(BaseHTTPRequestHandler):
    api_url: Callable[[], str | None]
    protocol_version = "HTTP/1.1"
    server_version = "Front"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Every method goes the same way."""
        self._forward()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  (the library's names)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the terminal belongs to the command that started us, and a path may hold a ticket."""

    def _forward(self) -> None:
        body = self._body()
        if body is None:
            self._refuse(HTTPStatus.CONTENT_TOO_LARGE, "A body needs a Content-Length, of 10 MiB at most.")
        elif not is_local_host(self.headers.get("Host", "")):
            self._refuse(HTTPStatus.FORBIDDEN, "Only names of this machine.")
        elif not self.path.startswith("/"):
            self._refuse(HTTPStatus.BAD_REQUEST, "This is no proxy for other servers.")
        elif (api_url := self.api_url()) is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The stack is not deployed yet.")
        else:
            self._ask(api_url, body)

    def _ask(self, api_url: str, body: bytes) -> None:
        api = urlsplit(api_url)
        connection = HTTPConnection(str(api.hostname), api.port, timeout=API_SECONDS)
        try:
            answer = self._answer_of(connection, api.path + self.path, body)
            content = answer.read()
        except (OSError, HTTPException) as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, f"The API gave no answer: {type(error).__name__}.")
        else:
            self._pass_on(answer, content)
        finally:
            connection.close()

    def _answer_of(self, connection: HTTPConnection, path: str, body: bytes) -> HTTPResponse:
        port: int = self.connection.getsockname()[1]
        fields = to_api(self.headers.items(), client=self.client_address[0], port=port, octets=len(body))
        connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in fields:
            connection.putheader(name, value)
        connection.endheaders(body or None)
        return connection.getresponse()

    def _pass_on(self, answer: HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        fields = end_to_end(answer.getheaders())
        for name, value in fields:
            self.send_header(name, value)
        has_length = any(name.lower() == "content-length" for name, _ in fields)
        if not has_length and answer.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes | None:
        """The request's body; None when its length is unknown or too much."""
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdecimal() or int(length) > MAXIMUM_BODY_OCTETS:
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        """Answer ourselves, and end the connection: what is left of the request is not read."""
        content = f"{text}\n".encode()
        self.close_connection = True
        self.send_response_only(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
