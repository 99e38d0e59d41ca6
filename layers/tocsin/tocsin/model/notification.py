"""The notification event: a CloudEvents 1.0 envelope around one type's data (DESIGN 4.1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.catalogue import CATALOGUE
from tocsin.model.notifications.parts import NotificationData, Part, PayloadReference, Recipient

__all__ = ["CATALOGUE", "Envelope", "Notification", "NotificationData", "PayloadReference", "Recipient"]

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"


class Envelope(Part):
    """The CloudEvents attributes (CloudEvents 1.0, JSON structured mode). `subject` names the thread."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(min_length=1, max_length=256, pattern=_PRINTABLE)]
    source: Annotated[str, Field(min_length=1, max_length=512, pattern=_PRINTABLE)]
    type: str
    time: AwareDatetime | None = None
    subject: str | None = None
    datacontenttype: Literal["application/json"] | None = None
    data: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One event, checked. `source` + `id` is its idempotency key within the project."""

    source: str
    id: str
    type: str
    time: datetime | None
    subject: str | None
    data: NotificationData

    @property
    def project_id(self) -> str:
        """The project whose settings are used."""
        return self.data.project.id

    @property
    def family(self) -> str:
        """What stands before the dot of the type."""
        return self.type.partition(".")[0]

    @property
    def for_subscribers(self) -> bool:
        """Whether it goes to subscribers of a status page, rather than to people of the project."""
        return self.data.for_subscribers

    @property
    def correlation(self) -> str:
        """What the notification is about, as in `incident/1042`: the publisher's subject, else its own object."""
        return self.subject or self.data.correlation
