"""What notifications of alert episodes and of incident episodes have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import Change, Kind, Note, NotificationData, Occurrence, Part


class EpisodeItem(Part):
    """An alert or an incident of an episode, and when it was added to that."""

    number: int | None = None
    title: Annotated[str, Field(min_length=1)]
    severity: str | None = None
    kind: Kind | None = None
    added_at: AwareDatetime | None = None
    url: str | None = None


class EpisodeCreated(NotificationData):
    """Alerts or incidents that belong together became an episode."""

    about = "episode"
    of: ClassVar[str]

    episode: Occurrence

    @property
    def correlation(self) -> str:
        """Alert episodes and incident episodes may have the same ids."""
        return f"{self.of}_episode/{self.episode.id}"


class EpisodeAcknowledgeRequest(EpisodeCreated):
    """Somebody on call is asked to acknowledge an episode.

    `items` are the first of all `count`; without that there are no others. `acknowledge_url` must open a page that asks
    for confirmation: programs that scan mail open links.
    """

    items: tuple[EpisodeItem, ...] | None = None
    count: Annotated[int, Field(ge=0)] | None = None


class EpisodeStateChanged(EpisodeCreated):
    """An episode was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


class EpisodeNotePosted(EpisodeCreated):
    """Somebody wrote a note on an episode, a public or a private one."""

    note: Note


class EpisodeOwnerAdded(EpisodeCreated):
    """The recipients now own an episode."""


class EpisodeItemAdded(EpisodeCreated):
    """An episode grew. `items` are the first of all `count` that were added; without that there are no others."""

    items: Annotated[tuple[EpisodeItem, ...], Field(min_length=1)]
    count: Annotated[int, Field(ge=0)] | None = None
