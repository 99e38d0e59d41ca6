"""Ports on loopback."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def usable_port(preferred: int = 0) -> int:
    """`preferred`, so that addresses stay the same from run to run; another free port if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port left a moment ago is free
        try:
            probe.bind((HOST, preferred))
        except OSError:
            return usable_port()
        port: int = probe.getsockname()[1]
        return port
