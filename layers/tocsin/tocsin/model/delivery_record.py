"""Deliveries as the journal holds them, with every line of their logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.model.delivery import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tocsin.model.delivery import Fallback
    from tocsin.model.reaction import Reactions
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """What happened at one time, and where the delivery stood then. `redriven_by` is set where somebody let it go."""

    at: datetime
    state: State
    attempt: int
    mail_account_id: str | None
    reply: Reply | None
    remedy_id: str | None
    instead_of: Fallback | None
    redriven_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery. `revived_at` is when an admin last re-drove it. The log is oldest first."""

    key: DeliveryKey
    state: State
    attempt: int
    message_id: str
    type: str
    created_at: datetime
    updated_at: datetime
    retry_at: datetime | None
    revived_at: datetime | None
    mail_account_id: str | None
    log: tuple[LogLine, ...]

    @property
    def delivery_id(self) -> str:
        """Its public id, as events name it too."""
        return self.key.chunk.delivery_id(self.key.recipient)

    @property
    def accepted_at(self) -> datetime | None:
        """When a relay first took responsibility for it."""
        return next((line.at for line in self.log if line.state is State.ACCEPTED), None)

    @property
    def last_answered(self) -> LogLine | None:
        """The newest line with a reply."""
        return next((line for line in reversed(self.log) if line.reply is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRecord:
    """The notification that a delivery carries, without its data. `expires_at` is the end of its own useful life."""

    source: str
    id: str
    type: str
    subject: str | None
    received_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A delivery with what it carries, and what its recipient did with it, as far as that is counted."""

    delivery: DeliveryRecord
    notification: NotificationRecord
    reactions: Reactions


def in_order(keys: list[DeliveryKey], records: Mapping[DeliveryKey, DeliveryRecord]) -> list[DeliveryRecord]:
    """The records of `keys` in their order; what is no longer there is left out."""
    return [records[key] for key in keys if key in records]
