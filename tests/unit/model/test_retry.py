"""When a delivery is tried again, and when its useful life is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.model.retry import expires_at, route_of, wait_before
from tocsin.model.route import Route

from tests.unit.model.examples import NOW, notification


@pytest.mark.parametrize(
    ("type_", "route", "hours"),
    [
        ("incident.created", Route.INCIDENT, 6),
        ("incident.state_changed", Route.INCIDENT, 6),
        ("alert.created", Route.ALERT, 6),
        ("alert.state_changed", Route.ALERT, 6),
        ("status_page.incident_created", Route.STATUS_PAGE, 24),
        ("status_page.incident_state_changed", Route.STATUS_PAGE, 24),
    ],
)
def test_a_type_has_a_route_and_a_useful_life(type_: str, route: Route, hours: int) -> None:
    assert route_of(notification(type_)) is route
    assert expires_at(notification(type_), received_at=NOW) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize("type_", ["incident.created", "alert.created", "status_page.incident_created"])
@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_publisher_may_set_the_end_of_useful_life(type_: str, said: str, moment: datetime) -> None:
    assert expires_at(notification(type_, options={"expires_at": said}), received_at=NOW) == moment


@pytest.mark.parametrize(
    ("said", "is_over"),
    [("0001-01-01T00:00:00+14:00", True), ("9999-12-31T23:59:59-14:00", False)],
)
def test_an_end_that_no_clock_reaches_in_utc_is_compared_all_the_same(said: str, *, is_over: bool) -> None:
    end = expires_at(notification(options={"expires_at": said}), received_at=NOW)

    assert (end <= NOW) is is_over


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 10), (2, 30), (3, 60), (4, 120), (5, 300), (6, 600), (7, 900), (40, 900), (41, 3600)],
)
def test_waits_grow_to_a_quarter_of_an_hour_and_after_many_tries_to_an_hour(attempt: int, seconds: int) -> None:
    assert wait_before(attempt) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("asked", "waited"), [(0, 60), (59, 60), (61, 61), (3600, 3600)])
def test_a_wait_is_never_shorter_than_the_relay_asks(asked: int, waited: int) -> None:
    assert wait_before(3, at_least=timedelta(seconds=asked)) == timedelta(seconds=waited)


def test_no_notification_is_useful_for_longer_than_a_week() -> None:
    end = expires_at(notification(options={"expires_at": "2027-11-21T12:00:00Z"}), received_at=NOW)

    assert end == NOW + timedelta(days=7)
