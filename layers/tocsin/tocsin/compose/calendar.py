"""A maintenance as an entry for calendars: iCalendar (RFC 5545), which later mails replace or cancel (RFC 5546)."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tocsin.compose.markdown import markdown_to_text
from tocsin.compose.values import clean_lines, one_line, presentable
from tocsin.model.attachment import AttachedFile

if TYPE_CHECKING:
    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification
    from tocsin.model.notifications.parts import Maintenance

_FILE = "maintenance.ics"
_CANCELLED = frozenset(
    {
        *("cancelled", "canceled", "abgesagt", "storniert", "cancelado", "cancelada", "annulé", "annulée"),
        *("中止", "キャンセル", "取消", "已取消"),
    }
)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_LARGEST_INTEGER = 2**31 - 1  # RFC 5545 section 3.3.8
_A_SECOND = 2  # what SEQUENCE grows by: it is that integer until 2054
_LINE_OCTETS = 75  # RFC 5545 section 3.1, without the line end
_TEXT_CHARACTERS = 4_000
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})  # RFC 5545 section 3.3.11


def calendar_file(notification: Notification, *, sender: Sender, at: datetime) -> AttachedFile | None:
    """Give the entry for the maintenance that `notification` is about, which came `at`.

    None: it is about none, or its times are not known. A note changes no times: none either. What is off needs no times
    to be taken out.
    """
    data: Any = notification.data
    if data.about != "maintenance" or hasattr(data, "note"):
        return None
    times = _times(data.maintenance)
    method = "CANCEL" if _is_cancelled(data) else "PUBLISH"
    if method == "PUBLISH" and len(times) < len(("DTSTART", "DTEND")):
        return None
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tocsin//Tocsin//EN", f"METHOD:{method}", "BEGIN:VEVENT"),
        *_identity(notification, _in_utc(notification.time) or at, is_last=method == "CANCEL"),
        *(f"{name}:{_utc(moment)}" for name, moment in zip(("DTSTART", "DTEND"), times, strict=False)),
        *_texts(data),
        _organizer(sender),
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",  # nobody is busy because a system is
        *("END:VEVENT", "END:VCALENDAR"),
    ]
    return AttachedFile(
        name=_FILE,
        content_type=f"text/calendar; charset=utf-8; method={method}",
        content="".join(map(_folded, lines)).encode(errors="replace"),
    )


def _times(maintenance: Maintenance) -> list[datetime]:
    """Give the start, if it is known, and behind it the end, if that is known and later."""
    starts_at, ends_at = _in_utc(maintenance.starts_at), _in_utc(maintenance.ends_at)
    if starts_at is None:
        return []
    return [starts_at] if ends_at is None or ends_at <= starts_at else [starts_at, ends_at]


def _in_utc(at: datetime | None) -> datetime | None:
    try:
        return at.astimezone(UTC) if at is not None else None
    except OverflowError:  # the first or last hours that a datetime can hold
        return None


def _is_cancelled(data: Any) -> bool:  # noqa: ANN401  (some types have a change)
    change = getattr(data, "change", None)
    state = change.state if change is not None else data.maintenance.state
    return unicodedata.normalize("NFC", state or "").strip().casefold() in _CANCELLED


def _identity(notification: Notification, told_at: datetime, *, is_last: bool) -> list[str]:
    """Name the entry, the same in all mails about the maintenance, and say which of two such mails is newer.

    Of two that are told at once, it is the one that takes the entry out.
    """
    told_at = max(told_at, _EPOCH).astimezone(UTC)
    data: Any = notification.data
    uid = hashlib.sha256(f"{notification.project_id}\n{data.maintenance.id}".encode(errors="surrogatepass")).hexdigest()
    sequence = min(int((told_at - _EPOCH).total_seconds() * _A_SECOND) + is_last, _LARGEST_INTEGER)
    return [f"UID:maintenance-{uid[:40]}", f"DTSTAMP:{_utc(told_at)}", f"SEQUENCE:{sequence}"]


def _texts(data: Any) -> list[str]:  # noqa: ANN401  (the data of several types)
    maintenance = presentable(data.maintenance)
    page = getattr(data, "status_page", None)
    owner = one_line((page.name if page is not None else None) or data.project.name or "")
    parts = [markdown_to_text(maintenance["description"] or ""), ", ".join(maintenance["resources"] or ())]
    description = "\n\n".join(part for part in parts if part)[:_TEXT_CHARACTERS]
    return [
        f"SUMMARY:{_escaped(': '.join(part for part in (owner, maintenance['title']) if part))}",
        *([f"DESCRIPTION:{_escaped(description)}"] if description else []),
        *([f"URL:{maintenance['url']}"] if maintenance["url"] else []),
    ]


def _organizer(sender: Sender) -> str:
    name = one_line(sender.name or "").replace('"', "'")
    common_name = f';CN="{name}"' if name else ""
    return f"ORGANIZER{common_name}:mailto:{quote(sender.email, safe='@+-._~!$&=')}"


def _utc(moment: datetime) -> str:
    return f"{moment.year:04}{moment:%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return clean_lines(text).translate(_ESCAPED)


def _folded(line: str) -> str:
    """Fold at 75 octets, never within a character."""
    pieces, room = [""], _LINE_OCTETS
    for character in line:
        octets = len(character.encode(errors="replace"))
        if octets > room:
            pieces.append(" ")
            room = _LINE_OCTETS - 1
        pieces[-1] += character
        room -= octets
    return "\r\n".join(pieces) + "\r\n"
