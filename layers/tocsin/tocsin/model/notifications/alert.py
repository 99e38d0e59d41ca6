"""Alerts, as their owners and the people on call are told of them."""

from __future__ import annotations

from tocsin.model.notifications.parts import Change, NotificationData, Occurrence


class AlertCreated(NotificationData):
    """An alert was raised."""

    about = "alert"

    alert: Occurrence


class AlertStateChanged(AlertCreated):
    """An alert was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


TYPES: dict[str, type[NotificationData]] = {
    "alert.created": AlertCreated,
    "alert.state_changed": AlertStateChanged,
}
