"""Every type of notification that we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.notifications import alert, incident, settings, status_page

if TYPE_CHECKING:
    from tocsin.model.notifications.parts import NotificationData

CATALOGUE: dict[str, type[NotificationData]] = {
    **incident.TYPES,
    **alert.TYPES,
    **status_page.TYPES,
    **settings.TYPES,
}
"""Every event type, and what its `data` holds."""
