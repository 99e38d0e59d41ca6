"""Threads of mails: whether they keep one subject, and the title that makes it."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from tocsin.model.branding import SubjectStyle, ThreadTitle

if TYPE_CHECKING:
    from tocsin.model.notification import Notification

TITLE_KEPT = timedelta(days=30)
"""How long the title of a thread's first mail is remembered."""

_WITHOUT_SUBJECT = frozenset({"account", "delivery", "generic", "on_call", "settings"})  # each mail says its own
_TITLE_CHARACTERS = 500  # subjects have 250
_KEY_DIGITS = 40


def keeps_one_subject(notification: Notification, style: SubjectStyle | None) -> bool:
    """Whether all mails of the thread get one subject; if the project says nothing, all but subscribers' do."""
    if style is not None:
        return style is SubjectStyle.STABLE
    return not notification.for_subscribers


def own_title(notification: Notification) -> ThreadTitle | None:
    """What title a notification gives its thread; None: it gives none, or belongs to no thread with a subject."""
    about = notification.data.about
    if about is None or notification.family in _WITHOUT_SUBJECT:
        return None
    part = getattr(notification.data, about)
    names = ("first_title", "title", "name")
    title: str | None = next(filter(None, (getattr(part, name, None) for name in names)), None)
    return ThreadTitle(title=title[:_TITLE_CHARACTERS], number=getattr(part, "number", None)) if title else None


def title_key(notification: Notification) -> str:
    """What the title is kept under: what a status page tells has titles of its own, in a thread of whatever name."""
    page = getattr(notification.data, "status_page", None)
    parts = (
        notification.family,
        page.id if page is not None else "",
        notification.data.about,
        notification.correlation,
    )
    digest = sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return f"thread#{notification.project_id}#{digest[:_KEY_DIGITS]}"
