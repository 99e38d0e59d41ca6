"""What of a day's deliveries failed, as the admins of their project are told of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import NotificationData, Part

FailedState = Literal["refused", "parked", "expired", "unknown"]


class FailureGroup(Part):
    """Deliveries that failed alike: by which mail account (its name), how, why, and what to do about it."""

    state: FailedState
    mail_account: str | None = None
    reason: str | None = None
    remedy: str | None = None
    count: Annotated[int, Field(ge=1)]


class FailedDelivery(Part):
    """One delivery that failed. `type` is that of its notification, `reason` what was answered."""

    recipient: Annotated[str, Field(min_length=1)]
    type: str | None = None
    state: FailedState
    reason: str | None = None
    at: AwareDatetime | None = None


class Failures(Part):
    """What failed from `since` to `until`: so many deliveries, or more (`is_more`), in groups, and some of them."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    count: Annotated[int, Field(ge=1)]
    is_more: bool | None = None
    groups: tuple[FailureGroup, ...] | None = None
    examples: tuple[FailedDelivery, ...] | None = None


class DeliveryFailedSummary(NotificationData):
    """What was refused, parked or expired in a day, or may not have arrived, and still is so. `url` lists all of it."""

    for_admins = True

    failures: Failures
    url: str | None = None
