"""When a delivery is tried again, and when its useful life is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE
from tocsin.model.retry import expires_at, route_of, route_of_type, wait_before, wait_for_connection, within_life
from tocsin.model.route import Route

from tests.unit.model.examples import NOW, event, notification


@pytest.mark.parametrize(
    ("type_", "route", "hours"),
    [
        ("incident.created", Route.INCIDENT, 6),
        ("incident.state_changed", Route.INCIDENT, 6),
        ("alert.created", Route.ALERT, 6),
        ("alert.state_changed", Route.ALERT, 6),
        ("status_page.incident_created", Route.STATUS_PAGE, 24),
        ("status_page.incident_state_changed", Route.STATUS_PAGE, 24),
        ("status_page.created", Route.SYSTEM, 6),
        ("status_page.owner_added", Route.SYSTEM, 6),
        ("settings.test_message", Route.SYSTEM, 6),
    ],
)
def test_a_type_has_a_route_and_a_useful_life(type_: str, route: Route, hours: int) -> None:
    assert route_of(notification(type_)) is route
    assert expires_at(notification(type_), received_at=NOW) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize("type_", CATALOGUE)
def test_what_subscribers_get_goes_by_the_status_page_route_and_nothing_else_does(type_: str) -> None:
    assert (route_of_type(type_) is Route.STATUS_PAGE) is CATALOGUE[type_].for_subscribers


@pytest.mark.parametrize("type_", ["status_page.of_an_older_version", "nothing", ""])
def test_a_type_that_there_is_no_more_goes_by_the_system_route(type_: str) -> None:
    assert route_of_type(type_) is Route.SYSTEM


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


@pytest.mark.parametrize(
    ("route", "waited", "seconds"),
    [
        (Route.INCIDENT, 0, (5, 10)),
        (Route.INCIDENT, 3600, (5, 10)),
        (Route.ALERT, 3600, (5, 10)),
        (Route.SYSTEM, 3600, (5, 10)),
        (Route.STATUS_PAGE, 0, (5, 7.5)),
        (Route.STATUS_PAGE, 80, (20, 30)),
        (Route.STATUS_PAGE, 3600, (60, 90)),
    ],
)
def test_only_bulk_asks_for_a_connection_the_less_often_the_longer_it_waits(
    route: Route, waited: int, seconds: tuple[float, float]
) -> None:
    waits = [wait_for_connection(route, timedelta(seconds=waited), jitter=jitter) for jitter in (0.0, 1.0)]

    assert tuple(wait.total_seconds() for wait in waits) == seconds


@pytest.mark.parametrize(("asked", "waited"), [(0, 60), (59, 60), (61, 61), (3600, 3600)])
def test_a_wait_is_never_shorter_than_the_relay_asks(asked: int, waited: int) -> None:
    assert wait_before(3, at_least=timedelta(seconds=asked)) == timedelta(seconds=waited)


@pytest.mark.parametrize(
    ("again", "asked", "ends", "tried"),
    [
        pytest.param(900, 0, 3600, 900, id="within-its-life"),
        pytest.param(900, 0, 600, 540, id="a-minute-before-its-end"),
        pytest.param(900, 0, 900, 840, id="not-at-the-very-end"),
        pytest.param(900, 570, 600, 570, id="as-soon-as-was-asked-for"),
        pytest.param(900, 900, 600, 600, id="asked-to-wait-for-longer"),
        pytest.param(900, 0, 60, 60, id="its-last-minute-has-begun"),
        pytest.param(900, 1, 60, 60, id="in-its-last-minute-a-moment-was-asked-for"),
        pytest.param(900, 0, 0, 0, id="its-life-is-over"),
        pytest.param(900, 0, -60, 0, id="its-life-was-over-before"),
    ],
)
def test_what_would_outlive_its_use_is_tried_once_more_before_it_expires(
    again: int, asked: int, ends: int, tried: int
) -> None:
    again_at, not_before, ends_at = (NOW + timedelta(seconds=seconds) for seconds in (again, asked, ends))

    assert within_life(again_at, ends_at=ends_at, now=NOW, not_before=not_before) == NOW + timedelta(seconds=tried)


@pytest.mark.parametrize(
    ("time", "said", "options", "minutes"),
    [
        pytest.param("2026-11-21T09:20:00Z", {"expires_minutes": 15}, None, 5, id="counted-from-the-envelope"),
        pytest.param(None, {"expires_minutes": 15}, None, 15, id="counted-from-its-arrival"),
        pytest.param("2030-01-01T00:00:00Z", {"expires_minutes": 15}, None, 15, id="told-by-a-clock-that-is-ahead"),
        pytest.param("9999-12-31T23:59:59Z", {"expires_minutes": 15}, None, 15, id="told-at-the-end-of-time"),
        pytest.param("2026-11-21T09:00:00Z", {"expires_minutes": 15}, None, -15, id="over-when-it-came"),
        pytest.param(None, {"expires_at": "2026-11-21T10:00:00Z"}, None, 30, id="at-a-moment"),
        pytest.param(
            None, {"expires_at": "2026-11-23T09:30:00Z"}, None, 2 * 24 * 60, id="longer-than-others-of-its-kind"
        ),
        pytest.param(None, {"expires_minutes": 366 * 24 * 60}, None, 7 * 24 * 60, id="never-longer-than-a-week"),
        pytest.param(
            None, {"expires_minutes": 15}, {"expires_at": "2026-11-21T09:35:00Z"}, 5, id="the-publisher-first"
        ),
        pytest.param(None, {"expires_minutes": 15}, {"expires_at": "2026-11-21T12:00:00Z"}, 15, id="the-code-first"),
        pytest.param(None, {}, None, 6 * 60, id="nothing-is-said"),
    ],
)
def test_a_code_is_not_sent_when_it_is_of_no_use_any_more(
    time: str | None, said: dict[str, Any], options: dict[str, Any] | None, minutes: int
) -> None:
    whole = event("account.verification_code", time=time)
    whole["data"] |= {"code": "481516", "options": options} | said

    assert expires_at(check_event(whole), received_at=NOW) == NOW + timedelta(minutes=minutes)


def test_no_notification_is_useful_for_longer_than_a_week() -> None:
    end = expires_at(notification(options={"expires_at": "2027-11-21T12:00:00Z"}), received_at=NOW)

    assert end == NOW + timedelta(days=7)
