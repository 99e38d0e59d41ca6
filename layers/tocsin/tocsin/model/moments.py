"""Days and times as somebody writes them: by the calendar (RFC 3339), and never as a count of seconds."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ValueError("it is no day, written as 2026-01-31")


def _time(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _TIME.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value.upper())
    raise ValueError("it is no time with its zone, written as 2026-01-31T09:30:00Z")


WrittenDay = Annotated[date, BeforeValidator(_day)]
WrittenTime = Annotated[AwareDatetime, BeforeValidator(_time)]
