"""Every type of notification that we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.notifications import (
    alert,
    alert_episode,
    incident,
    incident_episode,
    maintenance,
    monitor,
    on_call,
    probe,
    settings,
    slo,
    status_page,
)

if TYPE_CHECKING:
    from tocsin.model.notifications.parts import NotificationData

CATALOGUE: dict[str, type[NotificationData]] = {
    **incident.TYPES,
    **alert.TYPES,
    **alert_episode.TYPES,
    **incident_episode.TYPES,
    **status_page.TYPES,
    **maintenance.TYPES,
    **monitor.TYPES,
    **slo.TYPES,
    **probe.TYPES,
    **on_call.TYPES,
    **settings.TYPES,
}
"""Every event type, and what its `data` holds."""
