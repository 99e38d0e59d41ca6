"""Which notifications go to all subscribers of a status page, who may leave its list."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.model.notification import Notification
    from tocsin.model.notifications.parts import StatusPage

_ASKED_FOR = frozenset({"status_page.subscription_confirm", "status_page.manage_subscription"})


def listed_page(notification: Notification) -> StatusPage | None:
    """The status page whose subscribers are told.

    None: others are, or somebody who has just asked for it, and need be no subscriber.
    """
    if not notification.for_subscribers or notification.type in _ASKED_FOR:
        return None
    page: StatusPage | None = getattr(notification.data, "status_page", None)
    return page
