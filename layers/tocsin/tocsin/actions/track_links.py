"""Give the mails of one chunk addresses of ours that tell of opens and clicks, where their project wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.tracking import may_be_tracked

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.chunk import Chunk
    from tocsin.model.notification import Notification
    from tocsin.model.signed_token import LinkKey
    from tocsin.model.tracked_links import TrackedLinks
    from tocsin.model.tracking import Tracking


class LinkKeys(Protocol):
    """The keys of our own links."""

    def current(self) -> LinkKey:
        """The key to sign with.

        Raises:
            SecretUnavailable: there is none that we can read.
            TransientError: none can be read now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackLinks:
    """The action and all that it needs; `keys` are asked for only where something is tracked.

    `on_failure` is told of the project whose mails cannot be.
    """

    keys: Callable[[], LinkKeys]
    base_url: str
    on_failure: Callable[[str], None]

    def __call__(
        self, notification: Notification, chunk: Chunk, tracking: Tracking, *, since: datetime
    ) -> Callable[[str], TrackedLinks] | None:
        """What gives each canonical recipient links; None where nothing is counted.

        Without a key nothing is: no mail waits to be counted. `since` is when the notification came, so that the links
        are the same at every attempt.
        """
        if not tracking.is_on or not may_be_tracked(notification.type):
            return None
        try:
            return self._maker(chunk, tracking, since, self.keys().current())
        except (SecretUnavailable, TransientError):
            self.on_failure(chunk.project_id)
            return None

    def _maker(self, chunk: Chunk, tracking: Tracking, since: datetime, key: LinkKey) -> Callable[[str], TrackedLinks]:
        from tocsin.model.tracked_links import TrackedLinks  # noqa: PLC0415  (only few projects want it)

        return lambda recipient: TrackedLinks(
            tracking=tracking,
            base_url=self.base_url,
            key=key,
            project_id=chunk.project_id,
            delivery_id=chunk.delivery_id(recipient),
            since=since,
        )
