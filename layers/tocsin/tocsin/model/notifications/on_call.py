"""On-call duty, as those who have it are told of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.parts import NotificationData, Part


class OnCallPolicy(Part):
    """Who is called, and in which order. `description` is Markdown."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    description: str | None = None
    url: str | None = None


class Roster(Part):
    """The recipient's part in a policy: the escalation rule, the time, and why it is so, in one line."""

    rule_name: str | None = None
    rule_order: int | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    reason: str | None = None


class OnCallNow(NotificationData):
    """The recipients are on call from now on."""

    about = "on_call_policy"

    on_call_policy: OnCallPolicy
    roster: Roster = Roster()


class OnCallNext(OnCallNow):
    """The recipients are on call next."""


class NoLongerOnCall(OnCallNow):
    """The recipients are not on call any more."""


class AddedToPolicy(OnCallNow):
    """The recipients now have a part in a policy."""


class RemovedFromPolicy(OnCallNow):
    """The recipients have no part in a policy any more."""


TYPES: dict[str, type[NotificationData]] = {
    "on_call.on_call_now": OnCallNow,
    "on_call.on_call_next": OnCallNext,
    "on_call.no_longer_on_call": NoLongerOnCall,
    "on_call.added_to_policy": AddedToPolicy,
    "on_call.removed_from_policy": RemovedFromPolicy,
}
