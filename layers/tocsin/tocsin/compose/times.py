"""Times and lengths of time as people read them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tocsin.compose.translate import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

ENGLISH = "en"
"""English of no region is written here, so that most mails need no library for it."""

# Not strftime's: that follows the process's locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {"day": ("d", 86_400), "hour": ("h", 3_600), "minute": ("min", 60), "second": ("s", 1)}
_LONGEST_SECONDS = 100 * 365 * 86_400
_MOST_ZONES = 6


def display_zones(own: str | None, shared: Iterable[str]) -> list[ZoneInfo]:
    """Give the zones to show times in: the reader's own, else those shared by all readers, else UTC."""
    return _known([own] if own else []) or _known(shared)[:_MOST_ZONES] or [ZoneInfo("UTC")]


def in_zones(at: datetime, zones: Sequence[ZoneInfo], locale: str = ENGLISH) -> list[str]:
    """Write one moment in each of `zones`: `Sat 21 Nov 2026, 10:29 (Europe/Madrid, UTC+1)`."""
    return [_in_zone(at, zone, locale) for zone in zones]


def duration(seconds: float, locale: str = ENGLISH) -> str:
    """Write a length of time by its two largest units: `2 h 5 min`."""
    if not seconds < _LONGEST_SECONDS:  # so written, it holds for not-a-number too
        return _("more than 100 years")
    left, parts = int(seconds), []
    for unit, (short, length) in _UNITS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {short}" if locale == ENGLISH else _local_times().length(count, unit, locale))
    return " ".join(parts[:2]) or _("less than 1 s")


def time_of_day(at: datetime, zone: ZoneInfo, locale: str = ENGLISH, *, today: date) -> str:
    """Write the time as the zone's clocks show it, with all else that tells when it was if that was not `today`."""
    local = _local(at, zone)
    if local.date() != today:
        return _in_zone(at, zone, locale)
    return f"{local:%H:%M}" if locale == ENGLISH else str(_local_times().time_of_day(local, locale))


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The day that it was in that zone."""
    return _local(at, zone).date()


def day(on: date, locale: str = ENGLISH) -> str:
    """Write a day of the calendar: `Sat 28 Nov 2026`."""
    if locale != ENGLISH:
        return str(_local_times().day(on, locale))
    return f"{_DAYS[on.weekday()]} {on.day} {_MONTHS[on.month - 1]} {on.year}"


def _local_times() -> ModuleType:
    """Load what writes times for all other locales: Babel takes its time, and most mails need none."""
    from tocsin.compose import local_times  # noqa: PLC0415

    return local_times


def _known(names: Iterable[str]) -> list[ZoneInfo]:
    return [zone for zone in map(_zone, dict.fromkeys(names)) if zone]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a name; a directory
        return None


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:  # the first or last hours that a datetime can hold
        return at


def _in_zone(at: datetime, zone: ZoneInfo, locale: str) -> str:
    try:
        local = at.astimezone(zone)
    except OverflowError:  # the first or last hours that a datetime can hold
        local, zone = at, ZoneInfo("UTC")
    written = f"{day(local)}, {local:%H:%M}" if locale == ENGLISH else _local_times().moment(local, locale)
    offset = local.utcoffset() or timedelta()
    return f"{written} UTC" if zone.key == "UTC" else f"{written} ({zone.key}, {_offset(offset)})"


def _offset(offset: timedelta) -> str:
    hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
    sign = "-" if offset < timedelta() else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
