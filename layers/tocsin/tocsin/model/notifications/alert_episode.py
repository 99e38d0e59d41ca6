"""Episodes of alerts, as their owners and the people on call are told of them."""

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


class AlertEpisodeCreated(EpisodeCreated):
    """Alerts that belong together became an episode."""

    of = "alert"


class AlertEpisodeAcknowledgeRequest(EpisodeAcknowledgeRequest):
    """Somebody on call is asked to acknowledge an alert episode."""

    of = "alert"


class AlertEpisodeStateChanged(EpisodeStateChanged):
    """An alert episode was acknowledged, resolved, or moved to a state of the publisher's own."""

    of = "alert"


class AlertEpisodeNotePosted(EpisodeNotePosted):
    """Somebody wrote a note on an alert episode."""

    of = "alert"


class AlertEpisodeOwnerAdded(EpisodeOwnerAdded):
    """The recipients now own an alert episode."""

    of = "alert"


class AlertEpisodeItemAdded(EpisodeItemAdded):
    """Alerts were added to an alert episode."""

    of = "alert"


TYPES: dict[str, type[NotificationData]] = {
    "alert_episode.created": AlertEpisodeCreated,
    "alert_episode.acknowledge_request": AlertEpisodeAcknowledgeRequest,
    "alert_episode.state_changed": AlertEpisodeStateChanged,
    "alert_episode.note_posted": AlertEpisodeNotePosted,
    "alert_episode.owner_added": AlertEpisodeOwnerAdded,
    "alert_episode.item_added": AlertEpisodeItemAdded,
}
