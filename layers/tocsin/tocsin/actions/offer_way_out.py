"""Give subscribers a link of ours to leave a status page's list by, where none of its publisher's will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import SecretUnavailable
from tocsin.model.links import is_one_click_link
from tocsin.model.subscribers import listed_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.notification import Notification
    from tocsin.model.signed_token import LinkKey


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
class OfferWayOut:
    """The action and all that it needs; `keys` are asked for only where a link is wanted.

    `on_failure` is told of the project whose subscribers get none.
    """

    keys: Callable[[], LinkKeys]
    base_url: str
    on_failure: Callable[[str], None]

    def __call__(self, notification: Notification, *, since: datetime) -> Callable[[str], str | None] | None:
        """What gives each canonical recipient a link; None where nobody wants one.

        Without a key nobody gets one: that there is an incident is told all the same. `since` is when the notification
        came, so that the links are the same at every attempt.

        Raises:
            TransientError: there is no key now.
        """
        recipients = notification.data.recipients or ()
        if listed_page(notification) is None or all(is_one_click_link(each.unsubscribe_url) for each in recipients):
            return None
        try:
            return self._maker(notification, self.keys().current(), since)
        except SecretUnavailable:
            self.on_failure(notification.project_id)
            return None

    def _maker(self, notification: Notification, key: LinkKey, since: datetime) -> Callable[[str], str | None]:
        from tocsin.model.subscription import Subscription  # noqa: PLC0415  (only subscribers want it)

        def link(recipient: str) -> str | None:
            subscription = Subscription.of(notification, recipient)
            return f"{self.base_url}/unsubscribe/{subscription.token(key, since=since)}" if subscription else None

        return link
