"""Egress: TCP connections to hosts that an admin typed, only ever to an address that was checked."""

from __future__ import annotations

import errno
import socket
import time
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING

import idna

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.http_proxy import ProxyRefusedUs, open_tunnel
from tocsin.adapters.ip_ranges import Reach, reach
from tocsin.adapters.time_limits import seconds_left
from tocsin.adapters.watch import UNWATCHED
from tocsin.errors import MisconfiguredError
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.adapters.watch import Watch
    from tocsin.model.mail_account import Proxy

    type Resolve = Callable[[str, int], Sequence[str]]

_NO_SUCH_NAME = {socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver; odd spellings of an address (decimal, octal, hexadecimal) become plain here."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Egress:
    """The guard of DESIGN rule 9.

    `allowed_private_hosts` is a comma-separated list of `host:port`, both exact, host in lower case; it never allows
    the metadata addresses. `resolve` may block for as long as it likes: nobody waits for it beyond the time limit.

    Raises:
        MisconfiguredError: the list cannot be read.
    """

    def __init__(self, allowed_private_hosts: str = "", *, resolve: Resolve = system_resolve) -> None:
        self._allowed = frozenset(_endpoint(entry) for entry in allowed_private_hosts.split(",") if entry.strip())
        self._resolve = resolve

    def allows_private(self, host: str, port: int) -> bool:
        """Whether the operator listed `host:port`."""
        return (host.lower(), port) in self._allowed

    def connect(
        self,
        host: str,
        port: int,
        *,
        limits: TimeLimits,
        proxy: Proxy | None = None,
        proxy_password: str | None = None,
        watch: Watch = UNWATCHED,
    ) -> socket.socket:
        """Connect by TCP, through `proxy` where there is one; what it then carries is never resolved again.

        Raises:
            PhaseFailed: in phase dns, egress or connect.
        """
        addresses = self.addresses(host, port, until=limits.begin_phase(), watch=watch)
        if proxy is None:
            watch.reached(Phase.CONNECT)
            return _connected(addresses, port, until=limits.begin_phase())
        proxy_addresses = self.addresses(proxy.host, proxy.port, until=limits.begin_phase())
        watch.reached(Phase.CONNECT)

        def tunnel(address: str, until: float) -> socket.socket:
            connection = _connected(proxy_addresses, proxy.port, until=until)
            open_tunnel(connection, address, port, username=proxy.username, password=proxy_password, until=until)
            return connection

        return _first_tunnel(tunnel, addresses, until=limits.begin_phase())

    def addresses(self, host: str, port: int, *, until: float, watch: Watch = UNWATCHED) -> Sequence[str]:
        """The addresses of `host` that may be connected to: at least one, in the resolver's order.

        Raises:
            PhaseFailed: in phase dns where there is none, in phase egress where all are refused.
        """
        allows_private = self.allows_private(host, port)
        reaches = {Reach.PUBLIC, Reach.PRIVATE} if allows_private else {Reach.PUBLIC}
        watch.reached(Phase.DNS)
        found = self._found(host, port, until)
        watch.reached(Phase.EGRESS)
        allowed = [address for address in found if reach(address) in reaches]
        # Of what is refused only the number: else our resolver would tell whoever asks what a private network holds.
        watch.learnt(Phase.DNS, host=host, addresses=allowed, addresses_not_shown=len(found) - len(allowed))
        if not allowed:
            raise PhaseFailed.by(
                Phase.EGRESS, Mishap.REFUSED_BY_EGRESS, f"{host} is a private, reserved or metadata address"
            )
        return allowed

    def _found(self, host: str, port: int, until: float) -> Sequence[str]:
        try:
            return self._resolve_in_time(a_label(host), port, until)
        except TimeoutError as error:
            raise PhaseFailed.by(Phase.DNS, Mishap.TEMPORARY_DNS_FAILURE, Mishap.TIMED_OUT) from error
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise PhaseFailed.by(Phase.DNS, Mishap.NAME_NOT_FOUND, host) from error
            raise PhaseFailed.by(Phase.DNS, Mishap.TEMPORARY_DNS_FAILURE, error.strerror) from error
        except OSError as error:
            raise PhaseFailed.by(Phase.DNS, Mishap.TEMPORARY_DNS_FAILURE, error.strerror) from error
        except ValueError as error:  # an empty label, one that is too long, a NUL
            raise PhaseFailed.by(Phase.DNS, Mishap.NAME_NOT_FOUND, host) from error

    def _resolve_in_time(self, host: str, port: int, until: float) -> Sequence[str]:
        """Resolve on a thread of its own, because getaddrinfo knows no time limit and cannot be cancelled."""
        seconds = seconds_left(until)
        answer: Future[Sequence[str]] = Future()
        Thread(target=self._answer, args=(answer, host, port), name="resolve", daemon=True).start()
        return answer.result(timeout=seconds)

    def _answer(self, answer: Future[Sequence[str]], host: str, port: int) -> None:
        try:
            answer.set_result(self._resolve(host, port))
        except Exception as error:  # noqa: BLE001  (it is raised again where the answer is awaited)
            answer.set_exception(error)


def a_label(host: str) -> str:
    """The form of a host name that DNS and certificates know: in ASCII, and without the dot that may end it.

    Raises:
        ValueError: it has no such form.
    """
    return (host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")).removesuffix(".")


def _endpoint(entry: str) -> tuple[str, int]:
    host, _, port = entry.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or host != host.lower() or not (port.isascii() and port.isdigit()):
        raise MisconfiguredError("AllowedPrivateHosts is not a list of host:port with hosts in lower case")
    return host, int(port)


def _first_tunnel(
    tunnel: Callable[[str, float], socket.socket], addresses: Sequence[str], *, until: float
) -> socket.socket:
    """Let the proxy try each address in turn, as we would, unless it refuses us whatever the address."""
    *others, last = addresses
    for position, address in enumerate(others):
        try:
            return tunnel(address, time.monotonic() + _share(until, len(addresses) - position))
        except ProxyRefusedUs:
            raise
        except PhaseFailed:
            continue
    return tunnel(last, until)


def _share(until: float, parts: int) -> float:
    """The seconds for one of so many parts of the time that is left."""
    return max(until - time.monotonic(), 0) / parts


def _connected(addresses: Sequence[str], port: int, *, until: float) -> socket.socket:
    """Try each address in turn; each gets an equal share of the time that is left."""
    errors: list[OSError] = []
    for position, address in enumerate(addresses):
        try:
            return _connected_to(address, port, _share(until, len(addresses) - position))
        except OSError as error:
            errors.append(error)
    raise _no_connection(errors) from errors[-1]


def _connected_to(address: str, port: int, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    connection = socket.create_connection((address, port), timeout=seconds)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _no_connection(errors: Sequence[OSError]) -> PhaseFailed:
    """Tell of the address that came furthest: an IPv6 route that is missing hides no refusal over IPv4."""
    error = next((error for error in errors if error.errno not in _UNREACHABLE), errors[-1])
    if isinstance(error, ConnectionRefusedError):
        return PhaseFailed.by(Phase.CONNECT, Mishap.CONNECTION_REFUSED)
    if isinstance(error, TimeoutError):
        return PhaseFailed.by(Phase.CONNECT, Mishap.TIMED_OUT)
    if error.errno in _UNREACHABLE:
        return PhaseFailed.by(Phase.CONNECT, Mishap.NETWORK_UNREACHABLE)
    return PhaseFailed.by(Phase.CONNECT, Mishap.CONNECTION_CLOSED)
