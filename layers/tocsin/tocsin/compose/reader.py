"""For whom a mail is written: the language, the region and the time zones. Everything that renders asks here."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("en", "de", "es", "fr", "ja", "pt", "zh")
"""The languages that mails are written in; readers of any other get English."""

_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2}))?(?![a-z])", re.IGNORECASE | re.ASCII)
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """`locale` is a language, or a language and a region (`de_AT`); times are shown in each of `zones`.

    `pictures` are the content ids of those that go along with the mail.
    """

    locale: str = "en"
    zones: tuple[ZoneInfo, ...] = (ZoneInfo("UTC"),)
    pictures: frozenset[str] = frozenset()

    @property
    def language(self) -> str:
        """The language of the texts, as `lang` says it."""
        return self.locale.partition("_")[0]

    @property
    def direction(self) -> str:
        """Which way the texts run, as `dir` says it."""
        return "rtl" if self.language in _RIGHT_TO_LEFT else "ltr"


@lru_cache(maxsize=256)
def known_locale(tag: str | None) -> str:
    """Give the locale to write in for whoever asks for `tag` (`de`, `de-AT`, `pt_BR`); English where there is none."""
    match = _TAG.match(tag or "")
    language, region = match.groups() if match else ("en", None)
    if language.lower() not in LANGUAGES:
        return "en"
    if region is None or language.lower() == "zh":  # its regions write in other characters than our texts
        return language.lower()
    return f"{language.lower()}_{region.upper()}"


_READER: ContextVar[Reader] = ContextVar("reader", default=Reader())  # noqa: B039  (it is frozen)


def current_reader() -> Reader:
    """Give the reader that is rendered for: macros and filters know it without being told."""
    return _READER.get()


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Render for `reader` meanwhile, in this thread."""
    token = _READER.set(reader)
    try:
        yield
    finally:
        _READER.reset(token)
