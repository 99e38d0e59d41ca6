"""Incidents, as their owners, members and the people on call are told of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from tocsin.model.notifications.parts import Change, Note, NotificationData, Occurrence, Part


class SlaBreach(Part):
    """A deadline of a service level agreement that passed: for the response, or for the resolution."""

    breach: Literal["response", "resolution"]
    deadline: AwareDatetime
    rule: str | None = None


class Edit(Part):
    """A field that was edited, by its name. What it was and what it is are plain text; of long fields, Markdown."""

    field: Annotated[str, Field(min_length=1)]
    old: str | None = None
    new: str | None = None


class Update(Part):
    """Everything that was edited at once."""

    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]
    updated_at: AwareDatetime | None = None
    updated_by: str | None = None


class IncidentCreated(NotificationData):
    """An incident was declared."""

    about = "incident"

    incident: Occurrence


class IncidentAcknowledgeRequest(IncidentCreated):
    """Somebody on call is asked to acknowledge an incident.

    `acknowledge_url` must open a page that asks for confirmation: programs that scan mail open links.
    """


class IncidentStateChanged(IncidentCreated):
    """An incident was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


class IncidentNotePosted(IncidentCreated):
    """Somebody wrote a note on an incident, a public or a private one."""

    note: Note


class IncidentOwnerAdded(IncidentCreated):
    """The recipients now own an incident."""


class IncidentMemberAssigned(IncidentCreated):
    """The recipients now have a role in an incident."""

    role: str | None = None


class IncidentReminder(IncidentCreated):
    """An incident is still open: for `open_seconds`, else since `declared_at` as seen from the envelope's `time`."""

    open_seconds: Annotated[FiniteFloat, Field(ge=0)] | None = None


class IncidentSlaBreached(IncidentCreated):
    """An incident was not answered, or not resolved, by its deadline."""

    sla: SlaBreach


class IncidentUpdated(IncidentCreated):
    """Somebody edited an incident: its title, its severity, its description, or other fields."""

    update: Update


TYPES: dict[str, type[NotificationData]] = {
    "incident.created": IncidentCreated,
    "incident.acknowledge_request": IncidentAcknowledgeRequest,
    "incident.state_changed": IncidentStateChanged,
    "incident.note_posted": IncidentNotePosted,
    "incident.owner_added": IncidentOwnerAdded,
    "incident.member_assigned": IncidentMemberAssigned,
    "incident.reminder_unresolved": IncidentReminder,
    "incident.sla_breached": IncidentSlaBreached,
    "incident.updated": IncidentUpdated,
}
