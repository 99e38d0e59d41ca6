"""Monitors, as their owners are told of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import Change, Kind, NotificationData, Part


class Monitor(Part):
    """What is watched, and how. `description` is Markdown, `kind` gives the state's colour."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    type: str | None = None
    destination: str | None = None
    request_type: str | None = None
    description: str | None = None
    state: str | None = None
    kind: Kind | None = None
    url: str | None = None


class MonitorProbe(Part):
    """One of a monitor's probes, and how it is. `last_alive_at` is when it was last heard of."""

    name: Annotated[str, Field(min_length=1)]
    state: str | None = None
    last_alive_at: AwareDatetime | None = None
    url: str | None = None


class MonitorCreated(NotificationData):
    """A monitor was made."""

    about = "monitor"

    monitor: Monitor


class MonitorOwnerAdded(MonitorCreated):
    """The recipients now own a monitor."""


class MonitorStatusChanged(MonitorCreated):
    """What is watched went up or down. `root_cause` is Markdown."""

    change: Change
    root_cause: str | None = None


class MonitorProbeStatus(MonitorCreated):
    """How a monitor's probes are: whether anybody still watches."""

    probes: tuple[MonitorProbe, ...] | None = None


TYPES: dict[str, type[NotificationData]] = {
    "monitor.created": MonitorCreated,
    "monitor.owner_added": MonitorOwnerAdded,
    "monitor.status_changed": MonitorStatusChanged,
    "monitor.probe_status": MonitorProbeStatus,
}
