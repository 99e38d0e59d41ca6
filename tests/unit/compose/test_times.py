"""Times as their readers know them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from tocsin.compose.times import display_zones, duration, expiry, in_zones

AT = datetime(2026, 11, 21, 9, 29, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("own", "shared", "written"),
    [
        ("Europe/Madrid", (), ["Sat 21 Nov 2026, 10:29 (Europe/Madrid, UTC+1)"]),
        ("Asia/Kolkata", (), ["Sat 21 Nov 2026, 14:59 (Asia/Kolkata, UTC+5:30)"]),
        ("America/St_Johns", ("Asia/Tokyo",), ["Sat 21 Nov 2026, 05:59 (America/St_Johns, UTC-3:30)"]),
        ("Pacific/Kiritimati", (), ["Sat 21 Nov 2026, 23:29 (Pacific/Kiritimati, UTC+14)"]),
        (
            None,
            ("Asia/Tokyo", "Asia/Tokyo", "Nowhere/Land", "UTC"),
            ["Sat 21 Nov 2026, 18:29 (Asia/Tokyo, UTC+9)", "Sat 21 Nov 2026, 09:29 UTC"],
        ),
        (None, (), ["Sat 21 Nov 2026, 09:29 UTC"]),
        *(
            (bad, (), ["Sat 21 Nov 2026, 09:29 UTC"])
            for bad in ("Mars/Base", "../../etc/passwd", "Europe", "\x00", "é")
        ),
    ],
)
def test_a_time_is_written_in_the_zone_of_its_reader(
    own: str | None, shared: tuple[str, ...], written: list[str]
) -> None:
    assert in_zones(AT, display_zones(own, shared)) == written


def test_the_ends_of_time_are_written_too() -> None:
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))

    assert in_zones(last, display_zones("Asia/Tokyo", ())) == ["Fri 31 Dec 9999, 23:59 UTC"]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "less than 1 s"),
        (45.9, "45 s"),
        (60, "1 min"),
        (7505, "2 h 5 min"),
        (7200, "2 h"),
        (90_061, "1 d 1 h"),
        (86_405, "1 d 5 s"),
        (1e300, "more than 100 years"),
        (math.inf, "more than 100 years"),
        (math.nan, "more than 100 years"),
    ],
)
def test_a_length_of_time_is_written_by_its_largest_units(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("on", "told_at", "written"),
    [
        (date(2026, 12, 21), AT, "expires in 30 days"),
        (date(2026, 11, 23), AT, "expires in 2 days"),
        (date(2026, 11, 22), AT, "expires tomorrow"),
        (date(2026, 11, 21), AT, "expires today"),
        (date(2026, 11, 20), AT, "expired on Fri 20 Nov 2026"),
        (date(2026, 11, 28), None, "expires on Sat 28 Nov 2026"),
        (date(2026, 11, 22), datetime(2026, 11, 21, 23, 59, tzinfo=timezone(timedelta(hours=-12))), "expires tomorrow"),
        (date.max, datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "expires in 3652058 days"),
    ],
)
def test_an_end_is_counted_in_days_from_when_it_was_told(on: date, told_at: datetime | None, written: str) -> None:
    assert expiry(on, told_at) == written
