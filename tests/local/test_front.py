"""The front passes requests and answers on as they are, and tells the API where they came from."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from local.front.running import Front, running_front
from local.ports import HOST
from local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from http.client import HTTPResponse

BODY = bytes(range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as the API got it."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Stands for the engine: notes what it is asked and answers the same each time."""

    port: int
    asked: list[Asked]


@pytest.fixture
def api() -> Iterator[Api]:
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            asked.append(Asked(method=self.command, path=self.path, headers=self.headers, body=body))
            self.send_response(302)
            self.send_header("Location", "http://localhost:8026/authorize?a=b")
            self.send_header("Set-Cookie", "first=1; Path=/")
            self.send_header("Set-Cookie", "second=2; Path=/")
            self.send_header("Content-Length", str(len(BODY)))
            self.send_header("Keep-Alive", "timeout=5")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(BODY)

        do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815  (the library's names)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Api(port=server.server_port, asked=asked)
        server.shutdown()
        thread.join()


@pytest.fixture
def front(api: Api) -> Iterator[Front]:
    with running_front() as front:
        front.lead_to(_stack(api.port))
        yield front


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_request_arrives_as_it_was(front: Front, api: Api, method: str) -> None:
    _ask(front, method, "/a%2Fb/c?d=%20e&d=f", body=BODY, headers={"Authorization": "Bearer x", "Cookie": "a=b; c=d"})

    (asked,) = api.asked
    assert (asked.method, asked.path) == (method, "/_aws/execute-api/api-1/a%2Fb/c?d=%20e&d=f")
    assert asked.body == BODY
    assert asked.headers["Authorization"] == "Bearer x"
    assert asked.headers.get_all("Cookie") == ["a=b; c=d"]
    assert asked.headers["Host"] == f"localhost:{front.port}"


def test_an_answer_arrives_as_it_was(front: Front) -> None:
    response, body = _ask(front, "GET", "/")

    assert response.status == 302
    assert response.headers["Location"] == "http://localhost:8026/authorize?a=b"
    assert response.headers.get_all("Set-Cookie") == ["first=1; Path=/", "second=2; Path=/"]
    assert body == BODY


def test_an_answer_to_head_has_no_body(front: Front, api: Api) -> None:
    response, body = _ask(front, "HEAD", "/")

    assert api.asked[0].method == "HEAD"
    assert (response.headers["Content-Length"], body) == (str(len(BODY)), b"")


def test_the_way_is_told_and_a_client_cannot_make_it_up(front: Front, api: Api) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": "/evil", "Forwarded": "for=203.0.113.9"}
    _ask(front, "GET", "/", headers=lies)

    told = {name.lower(): value for name, value in api.asked[0].headers.items() if "forwarded" in name.lower()}
    assert told == {
        "x-forwarded-for": HOST,
        "x-forwarded-host": f"localhost:{front.port}",
        "x-forwarded-port": str(front.port),
        "x-forwarded-proto": "http",
    }


def test_hop_by_hop_fields_stay_behind(front: Front, api: Api) -> None:
    fields = {"Connection": "keep-alive, X-Private", "X-Private": "1", "TE": "trailers", "Upgrade": "h2c"}
    response, _ = _ask(front, "GET", "/", headers=fields)

    assert not {"connection", "x-private", "te", "upgrade"} & {name.lower() for name in api.asked[0].headers}
    assert "Keep-Alive" not in response.headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {"Host": "rebound.example.org"}, 403),
        ("http://example.org/", {}, 400),
        ("/", {"Content-Length": "99999999"}, 413),
        ("/", {"Transfer-Encoding": "chunked"}, 413),
    ],
    ids=["a foreign name", "another server", "too much", "no length"],
)
def test_what_is_not_for_the_api_is_refused(
    front: Front, api: Api, path: str, headers: dict[str, str], status: int
) -> None:
    assert _ask(front, "GET", path, headers=headers)[0].status == status
    assert not api.asked


def test_nothing_is_served_before_the_api_is_there() -> None:
    with running_front() as front:
        assert _ask(front, "GET", "/")[0].status == 503


def test_an_api_that_is_gone_is_said_so() -> None:
    with running_front() as front:
        front.lead_to(_stack(port=1))

        assert _ask(front, "GET", "/")[0].status == 502


def _ask(
    front: Front, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(HOST, front.port, timeout=5)
    try:
        connection.request(method, path, body=body, headers={"Host": f"localhost:{front.port}"} | (headers or {}))
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def _stack(port: int) -> Stack:
    return Stack(endpoint_url=f"http://{HOST}:{port}", outputs={}, resources={"Api": "api-1"})
