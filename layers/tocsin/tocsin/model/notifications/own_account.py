"""What mails about a person's own account have in common, be it with a product or with a private status page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import NotificationData, Recipient
from tocsin.model.useful_time import end_of_use

if TYPE_CHECKING:
    from datetime import datetime

_MOST_MINUTES = 366 * 24 * 60

Link = Annotated[str, Field(min_length=1, repr=False)]
"""A link that does something for whoever has it, so that it is not shown beside the other fields."""

MaybeLink = Annotated[Annotated[str, Field(min_length=1)] | None, Field(repr=False)]
"""Such a link, or none."""


class PersonalData(NotificationData):
    """What is for the eyes of one person: the event names exactly one recipient."""

    is_personal = True

    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1, max_length=1)]


class PerishableData(PersonalData):
    """What is of no use from `expires_at` on, or so many minutes after the envelope's `time`: it is not sent later."""

    expires_at: AwareDatetime | None = None
    expires_minutes: Annotated[int, Field(ge=1, le=_MOST_MINUTES)] | None = None

    def ends_at(self, told_at: datetime) -> datetime | None:
        """The earlier of the two ends."""
        return end_of_use(self.expires_at, self.expires_minutes, told_at)
