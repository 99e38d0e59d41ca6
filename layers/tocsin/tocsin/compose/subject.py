"""Subjects: one for all mails of a thread, or one that says what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.translate import N_, gettext
from tocsin.compose.values import one_line
from tocsin.compose.words import number
from tocsin.model.thread import keeps_one_subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.branding import Look
    from tocsin.model.notification import Notification

_FORMS = {
    "incident": N_("[Incident%(number)s] %(title)s"),
    "alert": N_("[Alert%(number)s] %(title)s"),
    "episode": N_("[Incident%(number)s] %(title)s"),  # to subscribers of a status page it is an incident
    "incident_episode": N_("[Incident Episode%(number)s] %(title)s"),
    "alert_episode": N_("[Alert Episode%(number)s] %(title)s"),
    "maintenance": N_("[Scheduled Maintenance%(number)s] %(title)s"),
    "announcement": N_("[Announcement%(number)s] %(title)s"),
    "status_page": N_("[Status Page%(number)s] %(title)s"),
    "monitor": N_("[Monitor%(number)s] %(title)s"),
    "slo": N_("[SLO%(number)s] %(title)s"),
    "probe": N_("[Probe%(number)s] %(title)s"),
}


def titled(family: str, number: str, title: str) -> str:
    """Name something of a family by its number, with the space before it, and its title."""
    form = _FORMS.get(family)
    return gettext(form, number=number, title=title) if form is not None else title


def is_stable(notification: Notification, look: Look) -> bool:
    """Whether all mails of the thread get one subject; if the project says nothing, all but subscribers' do."""
    return keeps_one_subject(notification, look.subject_style)


def thread_subject(notification: Notification, values: Mapping[str, Any], look: Look) -> str | None:
    """Give the one subject of the thread, in the reader's language; None where the notification belongs to none."""
    about = notification.data.about
    form = _FORMS.get(about or "" if notification.family == "status_page" else notification.family)
    if about is None or form is None:
        return None
    part = values[about]
    own = part.get("first_title") or part.get("title") or part.get("name") or part.get("id")
    first = look.thread_title
    title = (one_line(first.title) if first is not None else None) or own or gettext("(no name)")
    counted = part if first is None else {"number": first.number}
    shown = "" if notification.for_subscribers else number(counted)  # subscribers count nothing
    return gettext(form, number=shown, title=title)
