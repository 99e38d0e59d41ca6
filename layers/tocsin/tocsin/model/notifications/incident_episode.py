"""Episodes of incidents, as their owners and the people on call are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.notifications.episode import (
    EpisodeAcknowledgeRequest,
    EpisodeCreated,
    EpisodeItemAdded,
    EpisodeNotePosted,
    EpisodeOwnerAdded,
    EpisodeStateChanged,
)

if TYPE_CHECKING:
    from tocsin.model.notifications.parts import NotificationData


class IncidentEpisodeCreated(EpisodeCreated):
    """Incidents that belong together became an episode."""

    of = "incident"


class IncidentEpisodeAcknowledgeRequest(EpisodeAcknowledgeRequest):
    """Somebody on call is asked to acknowledge an incident episode."""

    of = "incident"


class IncidentEpisodeStateChanged(EpisodeStateChanged):
    """An incident episode was acknowledged, resolved, or moved to a state of the publisher's own."""

    of = "incident"


class IncidentEpisodeNotePosted(EpisodeNotePosted):
    """Somebody wrote a note on an incident episode."""

    of = "incident"


class IncidentEpisodeOwnerAdded(EpisodeOwnerAdded):
    """The recipients now own an incident episode."""

    of = "incident"


class IncidentEpisodeItemAdded(EpisodeItemAdded):
    """Incidents were added to an incident episode."""

    of = "incident"


TYPES: dict[str, type[NotificationData]] = {
    "incident_episode.created": IncidentEpisodeCreated,
    "incident_episode.acknowledge_request": IncidentEpisodeAcknowledgeRequest,
    "incident_episode.state_changed": IncidentEpisodeStateChanged,
    "incident_episode.note_posted": IncidentEpisodeNotePosted,
    "incident_episode.owner_added": IncidentEpisodeOwnerAdded,
    "incident_episode.item_added": IncidentEpisodeItemAdded,
}
