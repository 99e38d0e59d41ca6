"""Alerts, as their owners and the people on call are told of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from tocsin.model.notifications.parts import Change, Note, NotificationData, Occurrence


class AlertCreated(NotificationData):
    """An alert was raised."""

    about = "alert"

    alert: Occurrence


class AlertAcknowledgeRequest(AlertCreated):
    """Somebody on call is asked to acknowledge an alert.

    `acknowledge_url` must open a page that asks for confirmation: programs that scan mail open links.
    """


class AlertStateChanged(AlertCreated):
    """An alert was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


class AlertNotePosted(AlertCreated):
    """Somebody wrote a note on an alert, a public or a private one."""

    note: Note


class AlertOwnerAdded(AlertCreated):
    """The recipients now own an alert."""


class AlertReminder(AlertCreated):
    """An alert is still open: for `open_seconds`, else since `declared_at` as seen from the envelope's `time`."""

    open_seconds: Annotated[FiniteFloat, Field(ge=0)] | None = None


TYPES: dict[str, type[NotificationData]] = {
    "alert.created": AlertCreated,
    "alert.acknowledge_request": AlertAcknowledgeRequest,
    "alert.state_changed": AlertStateChanged,
    "alert.note_posted": AlertNotePosted,
    "alert.owner_added": AlertOwnerAdded,
    "alert.reminder_unresolved": AlertReminder,
}
