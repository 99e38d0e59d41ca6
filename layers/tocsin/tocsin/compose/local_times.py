"""Times, lengths of time and percentages as other languages and regions write them, by Babel. Loaded only for those."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal


def day(on: date, locale: str) -> str:
    """Write a day of the calendar with its day of the week."""
    return format_skeleton("yMMMEd", on, locale=_locale(locale))


def moment(local: datetime, locale: str) -> str:
    """Write a day and the time of day, as its zone's clocks show it."""
    known = _locale(locale)
    date_then_time = str(known.datetime_formats["medium"])
    return date_then_time.replace("{0}", format_time(local, "short", locale=known)).replace("{1}", day(local, locale))


def length(count: int, unit: str, locale: str) -> str:
    """Write so many of a unit of time, abbreviated."""
    return format_unit(count, f"duration-{unit}", "short", locale=_locale(locale))


def time_of_day(local: datetime, locale: str) -> str:
    """Write the time as its zone's clocks show it."""
    return format_time(local, "short", locale=_locale(locale))


def count(number: int, locale: str) -> str:
    """Write a number of things."""
    return format_decimal(number, locale=_locale(locale))


def percent(share: Decimal, locale: str) -> str:
    """Write a share of a hundred, with all its decimals."""
    return format_percent(share / 100, locale=_locale(locale), decimal_quantization=False)


@cache
def _locale(name: str) -> Locale:
    """Give the locale, or that of its language where the region is none of its own."""
    try:
        return Locale.parse(name)
    except UnknownLocaleError:
        return Locale.parse(name.partition("_")[0])
