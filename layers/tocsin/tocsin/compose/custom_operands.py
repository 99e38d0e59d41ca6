"""What filters and operators of custom templates take: texts, numbers, moments and lists; all else is `Misuse`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from jinja2 import Undefined

from tocsin.compose import times
from tocsin.compose.custom_budget import Misuse
from tocsin.compose.custom_values import OwnValue, refuse_own_value
from tocsin.compose.occurrence import moment
from tocsin.compose.reader import current_reader

LOCALE_STEPS = 20
"""What it takes to write something as a language and a region do."""


def defined(value: object) -> object:
    """What is there; what is not defined, or a recipient's own, is refused."""
    if isinstance(value, OwnValue):
        refuse_own_value()
    if isinstance(value, Undefined):
        str(value)  # raises what is to be said of it
    return value


def steps_of(values: list[Any]) -> int:
    """What it takes to write these: moments and days are written by locale."""
    return sum(LOCALE_STEPS if isinstance(value, date) else 1 for value in values) + 1


def list_of(value: object) -> list[Any] | None:
    """A list, or nothing."""
    value = defined(value)
    if value is None or isinstance(value, list):
        return value
    raise Misuse("it is no list")


def scalar(value: object) -> Any:  # noqa: ANN401  (what compares)
    """What can be compared and put together."""
    value = defined(value)
    if value is None or isinstance(value, str | int | float | date):
        return value
    raise Misuse("lists and objects cannot be compared, or put together", remedy="Name a field of it.")


def scalar_text(value: object) -> str:
    """The same as text."""
    value = scalar(value)
    return value if isinstance(value, str) else as_text(value)


def text_of(value: object) -> str:
    """A text, empty where there is none."""
    text = optional_text(value)
    return "" if text is None else text


def optional_text(value: object) -> str | None:
    """A text for a filter that changes texts."""
    value = defined(value)
    if value is None:
        return None
    if isinstance(value, str):
        return str(value)  # what is Markup is escaped again
    if isinstance(value, int | float):
        return as_text(value)
    raise Misuse("the filter is for texts")


def number_of(value: object, otherwise: str) -> int | float | None:
    """A number, or nothing."""
    value = defined(value)
    if value is None or isinstance(value, int | float):
        return value
    raise Misuse(otherwise)


def as_text(value: object) -> str:
    """Write what is no text: moments and days as the reader writes them."""
    match defined(value):
        case None:
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case int() | float() as number:
            return str(number)
        case datetime() as at:
            return written_time(at) or ""
        case date() as on:
            return written_day(on) or ""
    raise Misuse("it is a list or an object", remedy="Name a field of it, or loop over it.")


def written_time(value: object) -> str | None:
    """A moment in the reader's zones."""
    value = defined(value)
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise Misuse("time is for moments, such as declared_at")
    return " · ".join(moment(value))


def written_day(value: object) -> str | None:
    """A day of the calendar, as the reader has it."""
    value = defined(value)
    if value is None:
        return None
    reader = current_reader()
    if isinstance(value, datetime):
        return times.day(value.astimezone(reader.zones[0]).date(), reader.locale)
    if not isinstance(value, date):
        raise Misuse("day is for moments and days, such as declared_at")
    return times.day(value, reader.locale)
