"""The filters of custom templates: a few, each of bounded cost. What is absent stays so, and is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Undefined, pass_context
from markupsafe import Markup, escape

from tocsin.compose import times
from tocsin.compose.custom_budget import Misuse
from tocsin.compose.custom_counting import budget_of
from tocsin.compose.custom_operands import (
    LOCALE_STEPS,
    defined,
    list_of,
    number_of,
    optional_text,
    scalar_text,
    steps_of,
    text_of,
    written_day,
    written_time,
)
from tocsin.compose.markdown import markdown_to_text
from tocsin.compose.reader import current_reader
from tocsin.compose.report import percent
from tocsin.compose.styles import markdown_with_styles
from tocsin.compose.words import listed, word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2.runtime import Context

_MOST_DECIMALS = 6


def _default(value: object, fallback: object) -> object:
    return fallback if value is None or isinstance(value, Undefined) else value


def _length(value: object) -> int:
    value = defined(value)
    if isinstance(value, str | list):
        return len(value)
    if value is None:
        return 0
    raise Misuse("length is for texts and lists")


def _first(value: object) -> object:
    items = list_of(value)
    return items[0] if items else None


def _last(value: object) -> object:
    items = list_of(value)
    return items[-1] if items else None


@pass_context
def _join(context: Context, value: object, separator: object = ", ") -> str | None:
    items, between = list_of(value), text_of(separator)
    if items is None:
        return None
    budget_of(context).take(steps=steps_of(items))
    texts = [scalar_text(item) for item in items]
    budget_of(context).take(characters=sum(map(len, texts)) + len(between) * len(texts))
    return str(between).join(map(str, texts))


@pass_context
def _listed(context: Context, value: object) -> str | None:
    items = list_of(value) or []
    budget_of(context).take(steps=steps_of(items))
    texts = [text_of(item) for item in items]
    budget_of(context).take(characters=sum(map(len, texts)))
    return listed(texts)


def _truncated(text: str, length: object = 100) -> str:
    if not isinstance(length, int) or length < 1:
        raise Misuse("truncate takes a number of characters")
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _round(value: object, decimals: object = 0) -> int | float | None:
    value = defined(value)
    if value is None:
        return None
    if not isinstance(value, int | float) or not isinstance(decimals, int) or not 0 <= decimals <= _MOST_DECIMALS:
        raise Misuse("round is for numbers, with 0 to 6 decimals")
    return round(value, decimals) if decimals else round(value)


def _duration(value: object) -> str | None:
    number = number_of(value, "duration is for numbers of seconds, such as downtime_seconds")
    return None if number is None else times.duration(number, current_reader().locale)


def _percent(value: object) -> str | None:
    return percent(number_of(value, "percent is for numbers"))


def _with_breaks(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def _of_text(change: Callable[..., str | None], *, characters_a_step: int = 50) -> Callable[..., str | None]:
    """A filter for texts, which pays by their length."""

    @pass_context
    def changed(context: Context, value: object, *more: object) -> str | None:
        text = optional_text(value)
        if text is None:
            return None
        budget_of(context).take(steps=len(text) // characters_a_step + 1)
        return change(text, *more)

    return changed


def _by_locale(write: Callable[[object], str | None]) -> Callable[..., str | None]:
    """A filter that writes as the reader's language and region do, which takes its time."""

    @pass_context
    def paid(context: Context, value: object) -> str | None:
        budget_of(context).take(steps=LOCALE_STEPS)
        return write(value)

    return paid


FILTERS: Mapping[str, Callable[..., Any]] = {
    "capitalize": _of_text(str.capitalize),
    "day": _by_locale(written_day),
    "default": _default,
    "duration": _by_locale(_duration),
    "first": _first,
    "join": _join,
    "last": _last,
    "length": _length,
    "listed": _listed,
    "lower": _of_text(str.lower),
    "percent": _by_locale(_percent),
    "round": _round,
    "time": _by_locale(written_time),
    "trim": _of_text(str.strip),
    "truncate": _of_text(_truncated),
    "upper": _of_text(str.upper),
    "word": _of_text(word),
}
"""By the names that templates know them by; the two that depend on the kind of body are below."""

HTML_FILTERS: Mapping[str, Callable[..., Any]] = {
    "lines": _of_text(_with_breaks),
    "markdown": _of_text(markdown_with_styles, characters_a_step=4),
}
TEXT_FILTERS: Mapping[str, Callable[..., Any]] = {
    "lines": _of_text(str),
    "markdown": _of_text(markdown_to_text, characters_a_step=4),
}
