"""A digest as mails show it: what it stands for in one sentence, and a row for each thread."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from tocsin.compose.reader import current_reader
from tocsin.compose.subject import titled
from tocsin.compose.times import ENGLISH, day_of, duration, time_of_day
from tocsin.compose.translate import ngettext
from tocsin.compose.values import one_line
from tocsin.compose.words import number, word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

type DigestRow = tuple[tuple[str, str | None], str, str | None, str]
"""The thread with its link, how many notifications it stands for, how things are now, and from when to when."""

_MINUTE = 60
_TITLE_CHARACTERS = 150


def digest_sentence(digest: Mapping[str, Any]) -> str:
    """Say how much was held back, and of what."""
    if digest["thread_count"] == len(digest["threads"]) == 1:
        return _about_one(digest["count"], one_line(_name(digest["threads"][0]), limit=_TITLE_CHARACTERS))
    each_is_one = digest["count"] == digest["thread_count"]
    write = _OF_FAMILY.get(digest["family"] or "", _notifications) if each_is_one else _notifications
    return write(digest["count"], _duration(digest["began_at"], digest["ended_at"]))


def digest_rows(digest: Mapping[str, Any]) -> list[DigestRow]:
    """Give a row for each thread that is named."""
    today = day_of(digest["ended_at"], current_reader().zones[0])
    return [
        ((_name(thread), thread["url"]), counted(thread["count"]), word(thread["state"]), _when(thread, today))
        for thread in digest["threads"]
    ]


def digest_rest(digest: Mapping[str, Any]) -> str | None:
    """Say how many threads have no row; None where each has one."""
    left = digest["thread_count"] - len(digest["threads"])
    if left <= 0:
        return None
    return ngettext("and %(count)s more", "and %(count)s more", left, count=counted(left))


def counted(count: int) -> str:
    """Write a number of things, its thousands apart."""
    locale = current_reader().locale
    if locale == ENGLISH:
        return f"{count:,}"
    from tocsin.compose import local_times  # noqa: PLC0415  (Babel takes its time, and most mails need none)

    return local_times.count(count, locale)


def _about_one(count: int, title: str) -> str:
    shown = counted(count)
    return ngettext(
        "%(count)s notification about %(title)s",
        "%(count)s notifications about %(title)s",
        count,
        count=shown,
        title=title,
    )


def _alerts(count: int, lasted: str) -> str:
    shown = counted(count)
    return ngettext(
        "%(count)s alert in %(duration)s", "%(count)s alerts in %(duration)s", count, count=shown, duration=lasted
    )


def _incidents(count: int, lasted: str) -> str:
    shown = counted(count)
    return ngettext(
        "%(count)s incident in %(duration)s", "%(count)s incidents in %(duration)s", count, count=shown, duration=lasted
    )


def _notifications(count: int, lasted: str) -> str:
    shown = counted(count)
    return ngettext(
        "%(count)s notification in %(duration)s",
        "%(count)s notifications in %(duration)s",
        count,
        count=shown,
        duration=lasted,
    )


_OF_FAMILY = {"alert": _alerts, "incident": _incidents}


def _name(thread: Mapping[str, Any]) -> str:
    return titled(thread["family"], number(dict(thread)), thread["title"] or "")


def _duration(began_at: datetime, ended_at: datetime) -> str:
    """Write the length in whole minutes, rounded up."""
    minutes = max(1, ceil((ended_at - began_at).total_seconds() / _MINUTE))
    return duration(minutes * _MINUTE, current_reader().locale)


def _when(thread: Mapping[str, Any], today: date) -> str:
    """Write the first and the last time; the day only where it is another one than the digest's."""
    reader = current_reader()
    moments = [at for at in (thread["first_at"], thread["last_at"]) if at is not None]
    shown = (time_of_day(at, reader.zones[0], reader.locale, today=today) for at in moments)
    return " \N{EN DASH} ".join(dict.fromkeys(shown))
