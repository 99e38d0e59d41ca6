"""A tunnel through an HTTP proxy: CONNECT to an address, never to a name (RFC 9110 section 9.3.6)."""

from __future__ import annotations

import re
from base64 import b64encode
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from tocsin.adapters.failures import Mishap, PhaseFailed, failing_in
from tocsin.adapters.masking import masked
from tocsin.adapters.time_limits import seconds_left
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

_HEAD_OCTETS = 16_384
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}[^\r\n]*)")
_SHOWN_CHARACTERS = 200


class ProxyRefusedUs(PhaseFailed):
    """The proxy answered 4xx: it would lead us to no other address of the relay either."""


def open_tunnel(
    connection: socket.socket, address: str, port: int, *, username: str | None, password: str | None, until: float
) -> None:
    """Make `connection`, which leads to a proxy, lead to `address`; it is closed where that fails.

    Raises:
        ProxyRefusedUs: the proxy refused us.
        PhaseFailed: it did not reach the address, or the connection to it was lost, in phase connect.
    """
    login = _basic(username, password) if username is not None else None
    try:
        with failing_in(Phase.CONNECT):
            connection.settimeout(seconds_left(until))
            connection.sendall(_request(address, port, login))
            head = _read_head(connection, until)
        _check(head, sent=(login or "", password or ""))
    except PhaseFailed:
        connection.close()
        raise


def _basic(username: str, password: str | None) -> str:
    return b64encode(f"{username}:{password or ''}".encode()).decode("ascii")


def _request(address: str, port: int, login: str | None) -> bytes:
    host = f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if login is not None:
        lines.append(f"Proxy-Authorization: Basic {login}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _read_head(connection: socket.socket, until: float) -> bytes:
    """Read to the empty line, one octet at a time: the relay's greeting, right behind it, is not ours."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        connection.settimeout(seconds_left(until))
        octet = connection.recv(1)
        if not octet:
            raise ConnectionResetError
        head += octet
        if len(head) > _HEAD_OCTETS:
            raise PhaseFailed.by(Phase.CONNECT, Mishap.PROXY_REFUSED, "its answer is too long")
    return bytes(head)


def _check(head: bytes, *, sent: Iterable[str]) -> None:
    status = _STATUS_LINE.match(head)
    if status is None:
        raise PhaseFailed.by(Phase.CONNECT, Mishap.PROXY_REFUSED, "its answer is not HTTP")
    if not status[1].startswith(b"2"):
        text = re.sub(r"[^\x20-\x7e]", "?", masked(status[1].decode(errors="replace"), sent))
        refused = ProxyRefusedUs if status[1].startswith(b"4") else PhaseFailed
        raise refused.by(Phase.CONNECT, Mishap.PROXY_REFUSED, text[:_SHOWN_CHARACTERS])
