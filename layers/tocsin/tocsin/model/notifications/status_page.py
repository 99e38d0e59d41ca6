"""What status pages tell their subscribers, and their owners."""

from __future__ import annotations

from tocsin.model.notifications.parts import Change, NotificationData, Occurrence, StatusPage


class StatusPageIncidentCreated(NotificationData):
    """A status page tells its subscribers of an incident."""

    about = "incident"

    status_page: StatusPage
    incident: Occurrence


class StatusPageIncidentStateChanged(StatusPageIncidentCreated):
    """A status page tells its subscribers how an incident moves on."""

    change: Change


TYPES: dict[str, type[NotificationData]] = {
    "status_page.incident_created": StatusPageIncidentCreated,
    "status_page.incident_state_changed": StatusPageIncidentStateChanged,
}
