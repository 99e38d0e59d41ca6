"""The egress guard: what is resolved, refused and connected to."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import pytest
from tocsin.adapters.egress import Egress, a_label
from tocsin.adapters.failures import PhaseFailed
from tocsin.adapters.time_limits import TimeLimits
from tocsin.errors import MisconfiguredError
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture
def port() -> Iterator[int]:
    """A port of 127.0.0.1, and of no other loopback address, that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        yield number


def limits(seconds: float = 5.0) -> TimeLimits:
    return TimeLimits(phase_seconds=seconds, deadline=time.monotonic() + seconds)


class FakeResolver:
    """Gives the same addresses for every name, and remembers what it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        """Answer."""
        self.asked.append((host, port))
        return self.addresses


class FailingResolver:
    """Raises whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        """Fail."""
        raise self._error


def test_only_public_addresses_are_given_back() -> None:
    egress = Egress(resolve=FakeResolver("10.0.0.1", "8.8.8.8", "::1", "169.254.169.254"))

    assert list(egress.addresses("relay.example.org", 587, until=limits().deadline)) == ["8.8.8.8"]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1"])
def test_a_loopback_address_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(PhaseFailed) as failed:
        Egress().connect(host, 25, limits=limits())

    assert failed.value.reply.phase in {Phase.EGRESS, Phase.DNS}  # a resolver may know no odd spelling
    assert failed.value.reply.code is None


def test_a_name_that_leads_to_private_addresses_only_is_refused() -> None:
    with pytest.raises(PhaseFailed) as failed:
        Egress(resolve=FakeResolver("10.0.0.1", "fc00::1")).connect("relay.example.org", 587, limits=limits())

    assert failed.value.reply.phase is Phase.EGRESS
    assert failed.value.reply.text.startswith("refused by egress policy: ")


@pytest.mark.parametrize(
    ("listed", "host", "port", "is_allowed"),
    [
        pytest.param("relay.test:25", "relay.test", 25, True, id="exactly"),
        pytest.param(" a.test:1 , relay.test:25,", "relay.test", 25, True, id="among others"),
        pytest.param("relay.test:25", "Relay.TEST", 25, True, id="host in other case"),
        pytest.param("[::1]:25", "::1", 25, True, id="an IPv6 address"),
        pytest.param("relay.test:25", "relay.test", 587, False, id="another port"),
        pytest.param("relay.test:25", "x.relay.test", 25, False, id="a name below it"),
        pytest.param("", "relay.test", 25, False, id="nothing is listed"),
    ],
)
def test_a_private_address_is_allowed_where_host_and_port_are_listed(
    listed: str, host: str, port: int, *, is_allowed: bool
) -> None:
    assert Egress(listed).allows_private(host, port) is is_allowed


@pytest.mark.parametrize("listed", ["relay.test", "relay.test:", ":25", "Relay.test:25", "relay.test:smtp"])
def test_a_list_that_cannot_be_read_is_a_misconfiguration(listed: str) -> None:
    with pytest.raises(MisconfiguredError):
        Egress(listed)


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "::ffff:169.254.169.254"])
def test_a_metadata_address_is_refused_even_where_it_is_listed(address: str) -> None:
    egress = Egress(f"relay.test:80,[{address}]:80", resolve=FakeResolver(address))

    for host in ("relay.test", address):
        with pytest.raises(PhaseFailed) as failed:
            egress.connect(host, 80, limits=limits())
        assert failed.value.reply.phase is Phase.EGRESS


def test_a_name_is_resolved_once_and_connected_to_by_the_address_that_was_checked(port: int) -> None:
    resolver = FakeResolver("127.0.0.1")

    with closing(Egress(f"relay.test:{port}", resolve=resolver).connect("relay.test", port, limits=limits())) as found:
        assert found.getpeername() == ("127.0.0.1", port)
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert resolver.asked == [("relay.test", port)]


def test_the_next_address_is_tried_where_one_cannot_be_reached(port: int) -> None:
    resolver = FakeResolver("::1", "127.0.0.2", "127.0.0.1")

    with closing(Egress(f"relay.test:{port}", resolve=resolver).connect("relay.test", port, limits=limits())) as found:
        assert found.getpeername() == ("127.0.0.1", port)


def test_an_internationalised_name_is_resolved_as_its_a_label(port: int) -> None:
    resolver = FakeResolver("127.0.0.1")

    Egress(f"bücher.test:{port}", resolve=resolver).connect("bücher.test", port, limits=limits()).close()

    assert resolver.asked == [("xn--bcher-kva.test", port)]
    assert a_label("relay.test") == "relay.test"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(socket.gaierror(socket.EAI_NONAME, "unknown"), "name not found: relay.test", id="no such name"),
        pytest.param(socket.gaierror(socket.EAI_NODATA, "no data"), "name not found: relay.test", id="no address"),
        pytest.param(UnicodeError("label too long"), "name not found: relay.test", id="no host name"),
        pytest.param(socket.gaierror(socket.EAI_AGAIN, "again"), "temporary DNS failure: again", id="try again"),
        pytest.param(socket.gaierror(socket.EAI_FAIL, "broken"), "temporary DNS failure: broken", id="server failure"),
        pytest.param(OSError(24, "too many open files"), "temporary DNS failure: too many open files", id="our side"),
    ],
)
def test_a_name_that_does_not_exist_is_told_from_a_resolver_in_trouble(error: Exception, text: str) -> None:
    with pytest.raises(PhaseFailed) as failed:
        Egress(resolve=FailingResolver(error)).connect("relay.test", 587, limits=limits())

    assert failed.value.reply.phase is Phase.DNS
    assert failed.value.reply.text == text


def test_a_resolver_that_hangs_is_left_alone_when_the_time_is_up() -> None:
    released = Event()

    def hang(_host: str, _port: int) -> Sequence[str]:
        released.wait()
        return ["8.8.8.8"]

    begun = time.monotonic()
    with pytest.raises(PhaseFailed) as failed:
        Egress(resolve=hang).connect("relay.test", 587, limits=limits(0.1))
    released.set()

    assert failed.value.reply.text == "temporary DNS failure: timed out"
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("addresses", "text"),
    [
        pytest.param(["127.0.0.1"], "connection refused", id="nobody listens"),
        pytest.param(["127.0.0.1", "2001:db8::1"], "connection refused", id="an unreachable address hides no refusal"),
    ],
)
def test_a_refused_connection_says_so(addresses: list[str], text: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(PhaseFailed) as failed:
        Egress(f"relay.test:{port}", resolve=FakeResolver(*addresses)).connect("relay.test", port, limits=limits(1.0))

    assert (failed.value.reply.phase, failed.value.reply.text) == (Phase.CONNECT, text)


def test_a_host_that_never_answers_times_out() -> None:
    with socket.socket() as server:  # a full backlog drops what comes next
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        with _filling(port), pytest.raises(PhaseFailed) as failed:
            Egress(f"127.0.0.1:{port}").connect("127.0.0.1", port, limits=limits(0.2))

    assert (failed.value.reply.phase, failed.value.reply.text) == (Phase.CONNECT, "timed out")


class _filling:  # noqa: N801  (it reads as a verb)
    """Connections that nobody accepts, until there is room for no more."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._held: list[socket.socket] = []

    def __enter__(self) -> None:
        for _ in range(4):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", self._port))
            self._held.append(connection)

    def __exit__(self, *_: object) -> None:
        for connection in self._held:
            connection.close()
