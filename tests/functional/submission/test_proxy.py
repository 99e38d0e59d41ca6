"""Relays behind an HTTP proxy: what CONNECT carries, and what its refusals become."""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Literal, Self

import pytest
from tocsin.adapters.egress import Egress
from tocsin.adapters.submission import Submission
from tocsin.model.credential import Credential
from tocsin.model.reply import Phase, Reply

from tests.functional.submission.kit import account_at, mail_to
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Sequence

CREDENTIAL = Credential(version="1", username="ana", password="hunter2", proxy_password="s3cret:")


class Proxy:
    """A proxy for one connection: it leads to `target`, or gives `answer` and closes.

    Where the target speaks first, its greeting goes out in one packet with the proxy's own answer. Of the connections
    before that one, each gets one of the `refusals`; an empty one is no answer at all until the client is gone.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        answer: bytes | None = None,
        speaks_first: bool = True,
        refusals: Sequence[bytes] = (),
    ) -> None:
        self._target = target
        self._answer = answer
        self._refusals = refusals
        self._speaks_first = speaks_first
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [Thread(target=self._serve)]
        self._sockets = [self._server]
        self.head = b""
        self.asked_for: list[str] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        """Listen."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """End what is open."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()  # wakes one that nobody came to
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()

    def _serve(self) -> None:
        for refusal in self._refusals:
            client = self._accepted()
            client.sendall(refusal)
            if not refusal:
                client.recv(1)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        self._lead(self._accepted())

    def _accepted(self) -> socket.socket:
        client = self._server.accept()[0]
        self._sockets.append(client)
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n") and (octets := client.recv(4096)):
            self.head += octets
        self.asked_for += [self.head.decode().split(" ")[1].rpartition(":")[0]] if self.head else []
        return client

    def _lead(self, client: socket.socket) -> None:
        if self._answer is not None or not self.head:
            client.sendall(self._answer or b"")
            client.shutdown(socket.SHUT_RDWR)
            return
        upstream = socket.create_connection(self._target)
        self._sockets.append(upstream)
        greeting = upstream.recv(4096) if self._speaks_first else b""
        client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n" + greeting)
        back = Thread(target=_copy, args=(upstream, client))
        self._threads.append(back)
        back.start()
        _copy(client, upstream)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while octets := source.recv(65_536):
            target.sendall(octets)
        target.shutdown(socket.SHUT_WR)


class FakeResolver:
    """Gives 127.0.0.1 for every name, behind `others` for the relay's, and remembers the names."""

    def __init__(self, *others: str) -> None:
        self._others = others
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        """Answer."""
        self.asked.append(host)
        return [*(self._others if host == "relay.example.org" else ()), "127.0.0.1"]


def submit_through(
    proxy_port: int,
    relay: Relay,
    *,
    egress: Egress,
    username: str | None = None,
    credential: Credential = CREDENTIAL,
    seconds: float = 5,
) -> Reply:
    proxy = {"host": "proxy.test", "port": proxy_port, "username": username}
    account = account_at(relay, host="relay.example.org", proxy=proxy)
    with Submission(account, credential, egress=egress) as submission:
        [reply] = submission.submit([mail_to("bob@example.org")], deadline=time.monotonic() + seconds)
    return reply


def allowing(relay: Relay, proxy_port: int, resolver: FakeResolver) -> Egress:
    return Egress(f"relay.example.org:{relay.port},proxy.test:{proxy_port}", resolve=resolver)


@pytest.mark.parametrize("username", [None, "bob"])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_arrives_through_a_proxy_that_is_told_the_checked_address(
    security: Literal["none", "starttls", "tls"], username: str | None
) -> None:
    resolver = FakeResolver()
    relay = Relay(security=security)
    with relay, Proxy((relay.host, relay.port), speaks_first=security != "tls") as proxy:
        reply = submit_through(proxy.port, relay, egress=allowing(relay, proxy.port, resolver), username=username)

    assert reply.accepted
    assert proxy.head.startswith(f"CONNECT 127.0.0.1:{relay.port} HTTP/1.1\r\n".encode())
    login = b"Proxy-Authorization: Basic " + b64encode(b"bob:s3cret:") + b"\r\n"
    assert (login in proxy.head) is (username is not None)
    assert b"relay.example.org" not in proxy.head
    assert resolver.asked == ["relay.example.org", "proxy.test"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param(
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "proxy refused: 407 Proxy Authentication Required",
            id="login",
        ),
        pytest.param(b"HTTP/1.0 502 Bad\x1b Gateway\r\n\r\n", "proxy refused: 502 Bad? Gateway", id="no way"),
        pytest.param(b"220 ESMTP\r\n\r\n", "proxy refused: its answer is not HTTP", id="no proxy"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x" * 20_000, "proxy refused: its answer is too long", id="flood"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", "connection closed", id="half an answer"),
    ],
)
def test_a_proxys_refusal_is_a_connect_reply_with_its_text(answer: bytes, text: str) -> None:
    relay = Relay()
    with relay, Proxy((relay.host, relay.port), answer=answer) as proxy:
        reply = submit_through(proxy.port, relay, egress=allowing(relay, proxy.port, FakeResolver()))

    assert (reply.phase, reply.code, reply.text) == (Phase.CONNECT, None, text)
    assert relay.connections == 0


@pytest.mark.parametrize(
    "refusal",
    [b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"HTTP/1.1 503 no route to host\r\n\r\n", b""],
    ids=["502", "503", "slow"],
)
def test_a_relay_is_asked_for_at_its_next_address_where_the_proxy_does_not_reach_the_first(refusal: bytes) -> None:
    relay = Relay()
    with relay, Proxy((relay.host, relay.port), refusals=[refusal]) as proxy:
        guard = allowing(relay, proxy.port, FakeResolver("2001:db8::25"))
        reply = submit_through(proxy.port, relay, egress=guard, seconds=2)

    assert reply.accepted
    assert proxy.asked_for == ["[2001:db8::25]", "127.0.0.1"]


def test_a_proxy_that_refuses_us_is_not_asked_for_another_address() -> None:
    relay = Relay()
    with relay, Proxy((relay.host, relay.port), answer=b"HTTP/1.1 407 who are you?\r\n\r\n") as proxy:
        reply = submit_through(proxy.port, relay, egress=allowing(relay, proxy.port, FakeResolver("2001:db8::25")))

    assert reply.text == "proxy refused: 407 who are you?"
    assert proxy.asked_for == ["[2001:db8::25]"]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Basic {pair}", "Basic ***"),
        ("{pair}", "***"),
        ("bob:{password} is wrong", "bob:*** is wrong"),
        ("who is {password}?", "who is ***?"),
        ("no" * 60 + " {pair} and more", "no" * 60 + " *** and more"),
    ],
    ids=["header", "pair", "decoded", "password", "cut"],
)
def test_a_proxy_that_repeats_what_we_sent_gives_nothing_away(said: str, text: str) -> None:
    password = "s3cret-of-the-proxy:" + "x" * 80
    pair = b64encode(f"bob:{password}".encode()).decode()
    credential = replace(CREDENTIAL, proxy_password=password)
    answer = f"HTTP/1.1 407 {said.format(pair=pair, password=password)}\r\n\r\n".encode()
    relay = Relay()
    with relay, Proxy((relay.host, relay.port), answer=answer) as proxy:
        guard = allowing(relay, proxy.port, FakeResolver())
        reply = submit_through(proxy.port, relay, egress=guard, username="bob", credential=credential)

    assert reply.text == f"proxy refused: 407 {text}"


@pytest.mark.parametrize("listed", ["relay.example.org", "proxy.test"])
def test_proxy_and_relay_are_both_checked(listed: str) -> None:
    relay = Relay()
    with relay, Proxy((relay.host, relay.port)) as proxy:
        port = relay.port if listed == "relay.example.org" else proxy.port
        reply = submit_through(proxy.port, relay, egress=Egress(f"{listed}:{port}", resolve=FakeResolver()))

    assert reply.phase is Phase.EGRESS
    assert proxy.head == b""
