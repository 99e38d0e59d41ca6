"""HTTP calls to hosts that an admin typed or a preset names: one checked address, one deadline, a small answer."""

from __future__ import annotations

import http.client
import io
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tocsin.adapters.failures import Mishap, PhaseFailed, failing_in
from tocsin.adapters.time_limits import TimeLimits, seconds_left
from tocsin.adapters.tls import context_for, failing_handshake
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from _typeshed import ReadableBuffer, WriteableBuffer

    from tocsin.adapters.egress import Egress

_ANSWER_OCTETS = 256 * 1024
_PHASE_SECONDS = 15.0
_PORTS = {"https": 443, "http": 80}
_HEADERS = {"User-Agent": "tocsin", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. `headers` are by their names in lower case; of a repeated one the last counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Https:
    """A client that follows no redirect and keeps no cookie, connection, proxy or password between calls.

    TLS is verified against the host name; http is for hosts in `AllowedPrivateHosts` only. `ca_certificate` is a PEM
    bundle that replaces the public roots. Safe to use from many threads.
    """

    def __init__(self, egress: Egress, *, ca_certificate: str | None = None) -> None:
        self._egress = egress
        self._ca_certificate = ca_certificate

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str], form: Mapping[str, str] | None = None, until: float
    ) -> Answer:
        """Ask `url`, and be done by `until`, a time of `time.monotonic()`, however slowly the answer drips.

        Raises:
            PhaseFailed: there is no answer; in phase dns, egress, connect or tls, or in auth once it was asked.
        """
        import requests  # noqa: PLC0415  a password account never loads it

        from tocsin.adapters.requests_transport import Transport  # noqa: PLC0415  as above

        with requests.Session() as session:
            session.trust_env = False  # neither proxies nor .netrc of the environment
            session.mount("https://", Transport(lambda request: self._exchange(request, until)))
            session.mount("http://", Transport(lambda request: self._exchange(request, until)))
            try:
                response = session.request(
                    method, url, data=form, headers={**_HEADERS, **headers}, allow_redirects=False
                )
            except (requests.RequestException, ValueError):  # it cannot even be written; the reason may quote a header
                raise PhaseFailed.by(Phase.DNS, Mishap.NAME_NOT_FOUND, _host_of(url)) from None
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status_code, headers=names, body=response.content)

    def _exchange(self, request: Request, until: float) -> Answer:
        with closing(self._connected(request, until)) as connection, _failing_in_talk():
            talk = http.client.HTTPConnection(request.host, request.port)
            talk.default_port = _PORTS[request.scheme]
            talk.sock = _Timed(connection, until)  # all that http.client uses of a socket
            talk.request(request.method, request.target, body=request.body, headers=dict(request.headers))
            return _whole(talk.getresponse())

    def _connected(self, request: Request, until: float) -> socket.socket:
        if request.scheme == "http" and not self._egress.allows_private(request.host, request.port):
            raise PhaseFailed.by(Phase.EGRESS, Mishap.REFUSED_BY_EGRESS, f"{request.host} is to be asked without TLS")
        limits = TimeLimits(phase_seconds=_PHASE_SECONDS, deadline=until)
        connection = self._egress.connect(request.host, request.port, limits=limits)
        return connection if request.scheme == "http" else self._protected(connection, request.host, until)

    def _protected(self, connection: socket.socket, host: str, until: float) -> socket.socket:
        try:
            context = context_for("1.2", self._ca_certificate)
            with failing_handshake():
                connection.settimeout(seconds_left(until))
                return context.wrap_socket(connection, server_hostname=host)
        except PhaseFailed:
            connection.close()
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that is ready for the wire; `target` is the URL's path and query."""

    method: str
    scheme: str
    host: str
    port: int
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class _Timed:
    """A connection whose every read and write ends by one fixed time."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def sendall(self, octets: ReadableBuffer) -> None:
        self._connection.settimeout(seconds_left(self._until))
        self._connection.sendall(octets)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Octets(self._connection, self._until))

    def close(self) -> None:
        """Leave it open: whoever made the connection closes it."""


class _Octets(io.RawIOBase):
    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connection.settimeout(seconds_left(self._until))
        return self._connection.recv_into(buffer)


def port_of(scheme: str, port: int | None) -> int:
    """The port, or the usual one of the scheme."""
    return port or _PORTS[scheme]


def _whole(response: http.client.HTTPResponse) -> Answer:
    body = response.read(_ANSWER_OCTETS + 1)
    if len(body) > _ANSWER_OCTETS:
        raise PhaseFailed.by(Phase.AUTH, Mishap.REPLY_TOO_LONG)
    if response.length:  # octets that were announced and never came
        raise ConnectionResetError
    return Answer(status=response.status, headers=dict(response.getheaders()), body=body)


@contextmanager
def _failing_in_talk() -> Iterator[None]:
    try:
        with failing_in(Phase.AUTH):
            yield
    except http.client.IncompleteRead as error:
        raise PhaseFailed.by(Phase.AUTH, Mishap.CONNECTION_CLOSED) from error
    except (http.client.HTTPException, ValueError) as error:
        raise PhaseFailed.by(Phase.AUTH, Mishap.MALFORMED_REPLY, "it is not HTTP") from error


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no host"
