"""A gate in front of the inbox's answers."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.inbox.mailbox import Mail


class Gate:
    """While an address is held, its mail is kept and its sender waits for the answer."""

    def __init__(self) -> None:
        self._held: frozenset[str] = frozenset()

    async def __call__(self, mail: Mail) -> None:
        """Wait as long as the mail's recipient is held."""
        while mail.rcpt_to in self._held:  # noqa: ASYNC110  (the holder is another thread, which an Event cannot serve)
            await asyncio.sleep(0.02)

    @contextmanager
    def holding(self, address: str) -> Iterator[None]:
        """Hold `address` until the block ends."""
        self._held |= {address}
        try:
            yield
        finally:
            self._held -= {address}
