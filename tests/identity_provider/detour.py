"""A way to the scripted provider under the names of real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters.egress import Egress
from tocsin.adapters.watch import UNWATCHED

if TYPE_CHECKING:
    import socket

    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.adapters.watch import Watch
    from tocsin.model.mail_account import Proxy


class Detour(Egress):
    """An egress that leads every host to one port of this machine; `asked` are the hosts and ports as meant."""

    def __init__(self, port: int) -> None:
        super().__init__(f"127.0.0.1:{port}")
        self._port = port
        self.asked: list[tuple[str, int]] = []

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
        """Connect to the one port."""
        self.asked.append((host, port))
        return super().connect(
            "127.0.0.1", self._port, limits=limits, proxy=proxy, proxy_password=proxy_password, watch=watch
        )
