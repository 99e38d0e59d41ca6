"""When a delivery is tried again, and when its useful life is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tocsin.model.notifications.catalogue import is_for_subscribers
from tocsin.model.route import Route

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.notification import Notification

_WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 300, 600, 900))
_USEFUL_LIFE = {Route.STATUS_PAGE: timedelta(hours=24)}
_USEFUL_LIFE_OF_OTHERS = timedelta(hours=6)
_PATIENCE = {Route.STATUS_PAGE: timedelta(minutes=15)}
_PATIENCE_OF_OTHERS = timedelta(minutes=1)
_LONGEST_LIFE = timedelta(days=7)  # the journal outlives it, and an item holds a line for every try
_AFTER_MANY, _MANY = timedelta(hours=1), 40
_SHORTEST_WAIT = timedelta(seconds=5)
_LAST_TRY = timedelta(minutes=1)
ALWAYS_BORNE = timedelta(seconds=10)
LONGEST_WAIT = _WAITS[-1]
RESUBMIT_UNKNOWN_AFTER = timedelta(seconds=60)

_FAMILIES = {
    Route.INCIDENT: ("incident", "incident_episode"),
    Route.ALERT: ("alert", "alert_episode", "monitor", "slo", "probe", "on_call"),
}
_ROUTES = {family: route for route, families in _FAMILIES.items() for family in families}


def route_of(notification: Notification) -> Route:
    """The route of the notification's family (DESIGN section 2); a digest goes by that of what it stands for."""
    return notification.data.route or _route(notification.type, for_subscribers=notification.for_subscribers)


def route_of_type(type: str) -> Route:  # noqa: A002  (the field's name)
    """The route of an event type's family; of a type that there is no more, the one for what is nobody else's."""
    return _route(type, for_subscribers=is_for_subscribers(type))


def patience(route: Route) -> timedelta:
    """How long a notification waits for a mail account before the next one is used: in all, not each time."""
    return _PATIENCE.get(route, _PATIENCE_OF_OTHERS)


def is_bulk(route: Route) -> bool:
    """Whether what the route carries gives way to everything else."""
    return route is Route.STATUS_PAGE


def wait_for_connection(route: Route, waited: timedelta, *, jitter: float) -> timedelta:
    """How long to wait for a connection, having waited so long; `jitter` is 0 to 1.

    Bulk, of which there may be a thousand chunks, asks the less often the longer it waits.
    """
    if not is_bulk(route):
        return _SHORTEST_WAIT * (1 + jitter)
    return max(_SHORTEST_WAIT, min(waited / 4, _WAITS[2])) * (1 + jitter / 2)


def wait_before(attempt: int, *, at_least: timedelta = timedelta(0)) -> timedelta:
    """How long to wait after the failed `attempt` (1 is the first) before the next."""
    wait = _AFTER_MANY if attempt > _MANY else _WAITS[min(attempt, len(_WAITS)) - 1]
    return max(wait, at_least)


def within_life(again_at: datetime, *, ends_at: datetime, now: datetime, not_before: datetime) -> datetime:
    """When to try what would be tried `again_at`: if its life ends sooner, a last time shortly before that.

    Where that is past, or it may not be tried `not_before` then: at the end, when it expires.
    """
    if again_at < ends_at:
        return again_at
    if ends_at <= now:
        return now
    last = ends_at - _LAST_TRY
    return max(not_before, last) if now < last and not_before < ends_at else ends_at


def useful_life(route: Route) -> timedelta:
    """How long what the route carries is worth sending, from its arrival on, or from an admin's re-drive."""
    return _USEFUL_LIFE.get(route, _USEFUL_LIFE_OF_OTHERS)


def end_of_life(expires_at: datetime, *, route: Route, revived_at: datetime | None) -> datetime:
    """When a delivery expires whose notification does so at `expires_at`, and that an admin re-drove at `revived_at`.

    He wants it sent now, so that the publisher's `expires_at` is no longer asked.
    """
    return expires_at if revived_at is None else max(expires_at, revived_at + useful_life(route))


def expires_at(notification: Notification, *, received_at: datetime) -> datetime:
    """The end of the notification's useful life: as the publisher set it, but within 7 days; else by its family.

    A code or a link that ends sooner ends it. It is in the publisher's own time zone: the first and last hours of a
    calendar exist in no other.
    """
    told_at = min(notification.time or received_at, received_at)
    said = (notification.data.options.expires_at, notification.data.ends_at(told_at))
    ends = [end for end in said if end is not None]
    return min([*ends, received_at + (_LONGEST_LIFE if ends else useful_life(route_of(notification)))])


def _route(event_type: str, *, for_subscribers: bool) -> Route:
    if for_subscribers:
        return Route.STATUS_PAGE
    return _ROUTES.get(event_type.partition(".")[0], Route.SYSTEM)
