"""Probes, the programs that watch for monitors, as their owners are told of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import Change, Kind, NotificationData, Part


class Probe(Part):
    """A probe. `description` is Markdown, `issue` one line, `last_alive_at` is when it was last heard of."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    description: str | None = None
    state: str | None = None
    kind: Kind | None = None
    last_alive_at: AwareDatetime | None = None
    issue: str | None = None
    url: str | None = None


class ProbeOffline(NotificationData):
    """Nothing is heard of a probe."""

    about = "probe"

    probe: Probe


class ProbeConnectionChanged(ProbeOffline):
    """A probe was lost, or is back."""

    change: Change


class ProbeOwnerAdded(ProbeOffline):
    """The recipients now own a probe."""


TYPES: dict[str, type[NotificationData]] = {
    "probe.offline": ProbeOffline,
    "probe.connection_changed": ProbeConnectionChanged,
    "probe.owner_added": ProbeOwnerAdded,
}
