"""Incidents, as their owners, members and the people on call are told of them."""

from __future__ import annotations

from tocsin.model.notifications.parts import Change, NotificationData, Occurrence


class IncidentCreated(NotificationData):
    """An incident was declared."""

    about = "incident"

    incident: Occurrence


class IncidentStateChanged(IncidentCreated):
    """An incident was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


TYPES: dict[str, type[NotificationData]] = {
    "incident.created": IncidentCreated,
    "incident.state_changed": IncidentStateChanged,
}
