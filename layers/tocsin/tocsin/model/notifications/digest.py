"""Digests: what a storm held back, as the person is told of it who owns what the storm was about."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import Kind, NotificationData, Part
from tocsin.model.route import Route


class DigestThread(Part):
    """What a digest says of one thread: how many notifications it stands for, and how things are after the last."""

    family: Annotated[str, Field(min_length=1)]
    number: int | None = None
    title: str | None = None
    state: str | None = None
    kind: Kind | None = None
    count: Annotated[int, Field(ge=1)]
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    url: str | None = None


class Digest(Part):
    """The notifications that were held back from `began_at` to `ended_at`.

    `threads` are the first of all `thread_count`; `family` is theirs, where they have the same. `route` is the one that
    they would have gone by.
    """

    route: Literal["incident", "alert", "system"]
    family: str | None = None
    count: Annotated[int, Field(ge=1)]
    began_at: AwareDatetime
    ended_at: AwareDatetime
    threads: Annotated[tuple[DigestThread, ...], Field(min_length=1, max_length=50)]
    thread_count: Annotated[int, Field(ge=1)]


class DeliveryDigest(NotificationData):
    """A storm held back mails of the recipients: this one stands for all of them. We send it ourselves."""

    digest: Digest

    @property
    def route(self) -> Route | None:
        """It goes the way of what it stands for."""
        return Route(self.digest.route)
