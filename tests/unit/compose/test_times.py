"""Times as their readers know them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from tocsin.compose.times import day, display_zones, duration, in_zones

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
    ("locale", "moment", "lasted"),
    [
        ("en", "Sat 21 Nov 2026, 15:29", "2 h 5 min"),
        ("en_US", "Sat, Nov 21, 2026, 3:29\u202fPM", "2 hr 5 min"),
        ("en_GB", "Sat, 21 Nov 2026, 15:29", "2 hrs 5 mins"),
        ("de", "Sa., 21. Nov. 2026, 15:29", "2 Std. 5 Min."),
        ("de_XX", "Sa., 21. Nov. 2026, 15:29", "2 Std. 5 Min."),
        ("es", "sáb, 21 nov 2026, 15:29", "2 h 5 min"),
        ("fr", "sam. 21 nov. 2026, 15:29", "2\u202fh 5\xa0min"),
        ("ja", "2026年11月21日(土) 15:29", "2 時間 5 分"),
        ("pt", "sáb., 21 de nov. de 2026 15:29", "2 h 5 min"),
        ("zh", "2026年11月21日周六 15:29", "2小时 5分钟"),
    ],
)
def test_times_are_written_as_the_language_and_region_of_the_reader_write_them(
    locale: str, moment: str, lasted: str
) -> None:
    at = datetime(2026, 11, 21, 14, 29, tzinfo=UTC)

    assert in_zones(at, display_zones("Europe/Madrid", ()), locale) == [f"{moment} (Europe/Madrid, UTC+1)"]
    assert duration(7505, locale) == lasted
    assert moment.startswith(day(date(2026, 11, 21), locale))
