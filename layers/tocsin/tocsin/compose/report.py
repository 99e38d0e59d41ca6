"""A period's report as mails show it: its percentages, and its rows."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from tocsin.compose.occurrence import moment
from tocsin.compose.reader import current_reader
from tocsin.compose.times import ENGLISH, duration
from tocsin.compose.translate import gettext as _
from tocsin.compose.translate import ngettext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.compose.occurrence import Fact

_MOST_ROWS = 40  # a kilobyte each, of the 102 that some providers show
_STEP = Decimal("0.001")
_INDENT = "\u2003"


def percent(value: float | None) -> str | None:
    """Write a share of a hundred, rounded down: what had any downtime is never shown as 100 %."""
    if value is None:
        return None
    rounded = Decimal(str(value)).quantize(_STEP, ROUND_FLOOR).normalize()
    locale = current_reader().locale
    if locale == ENGLISH:
        return f"{rounded:f}%"
    from tocsin.compose import local_times  # noqa: PLC0415  (Babel takes its time, and most mails need none)

    return str(local_times.percent(rounded, locale))


def report_facts(report: Mapping[str, Any]) -> list[Fact]:
    """Give the period, and what it comes to over all resources."""
    return [
        (_("From"), moment(report["starts_at"])),
        (_("Until"), moment(report["ends_at"])),
        (_("Average uptime"), percent(report["average_uptime_percent"])),
        (_("Downtime"), _length(report["downtime_seconds"])),
        (_("Incidents"), _count(report["incident_count"])),
        (_("Resources"), _count(report["resource_count"])),
    ]


def report_rows(report: Mapping[str, Any]) -> list[list[str | int | None]]:
    """Give name, uptime, downtime and incidents of each resource and group, as many as a mail can hold."""
    return [_cells(row) for row in (report["rows"] or [])[:_MOST_ROWS]]


def rows_left_out(report: Mapping[str, Any]) -> int:
    """Count the rows that are not in `report_rows`."""
    return max(len(report["rows"] or []) - _MOST_ROWS, 0)


def _cells(row: Mapping[str, Any]) -> list[str | int | None]:
    name = f"{_INDENT * (row['indent'] or 0)}{_row_name(row)}"
    return [name, percent(row["uptime_percent"]), _length(row["downtime_seconds"]), row["incident_count"]]


def _row_name(row: Mapping[str, Any]) -> str:
    name, count = str(row["name"] or ""), row["resource_count"]
    if not row["group"] or count is None:
        return name
    return ngettext("%(name)s (%(count)s resource)", "%(name)s (%(count)s resources)", count, name=name)


def _length(seconds: float | None) -> str | None:
    """Write a length of time; none at all is a zero, not `less than 1 s`."""
    if seconds is None:
        return None
    return duration(seconds, current_reader().locale) if seconds else "0"


def _count(number: int | None) -> str | None:
    return None if number is None else str(number)
