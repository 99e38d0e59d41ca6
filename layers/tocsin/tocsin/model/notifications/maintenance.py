"""Scheduled maintenance, as its owners are told of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from tocsin.model.notifications.parts import Change, Maintenance, Note, NotificationData


class MaintenanceCreated(NotificationData):
    """A maintenance was scheduled."""

    about = "maintenance"

    maintenance: Maintenance


class MaintenanceStateChanged(MaintenanceCreated):
    """A maintenance started, ended, or moved to a state of the publisher's own."""

    change: Change


class MaintenanceNotePosted(MaintenanceCreated):
    """Somebody wrote a note on a maintenance, a public or a private one."""

    note: Note


class MaintenanceOwnerAdded(MaintenanceCreated):
    """The recipients now own a maintenance."""


class MaintenanceReminder(MaintenanceCreated):
    """A maintenance is still open. Without `open_seconds` that is counted from `starts_at` to the envelope's `time`."""

    open_seconds: Annotated[FiniteFloat, Field(ge=0)] | None = None


TYPES: dict[str, type[NotificationData]] = {
    "maintenance.created": MaintenanceCreated,
    "maintenance.state_changed": MaintenanceStateChanged,
    "maintenance.note_posted": MaintenanceNotePosted,
    "maintenance.owner_added": MaintenanceOwnerAdded,
    "maintenance.reminder_unresolved": MaintenanceReminder,
}
