"""What mails show of an incident, an alert or the like: its badges, its facts, its sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.reader import current_reader
from tocsin.compose.times import duration, in_zones
from tocsin.compose.translate import gettext as _
from tocsin.compose.words import listed, word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

type Badge = tuple[str, str | None]
"""A text, and the kind that colours it; without one it has an outline only."""

type Fact = tuple[str, str | list[str] | None]
"""A label, and a value of one line or several; without a value it is not shown."""

type Section = tuple[str, str | None]
"""A heading, and Markdown; without that it is not shown."""


def badges(occurrence: Mapping[str, Any], change: Mapping[str, Any] | None = None) -> list[Badge]:
    """Give severity and state, as far as they are known."""
    severity = word(occurrence.get("severity") or occurrence.get("kind"))
    state = word(change["state"] if change else occurrence.get("state"))
    return [(text, kind) for text, kind in ((severity, occurrence.get("kind")), (state, None)) if text]


def note_badges(note: Mapping[str, Any]) -> list[Badge]:
    """Say whether a note is private or public, if that is known."""
    if note.get("private") is None:
        return []
    return [(_("Private note") if note["private"] else _("Public note"), None)]


def occurrence_facts(
    occurrence: Mapping[str, Any], change: Mapping[str, Any] | None = None, *, people: bool = True
) -> list[Fact]:
    """Give what is known beside badges and sections.

    `people`: whether names of staff are shown; subscribers of a status page do not see them.
    """
    changed = change or {}
    return [
        (_("Before"), _before(changed)),
        (_("Changed"), moment(changed.get("changed_at"), people and changed.get("changed_by"))),
        (_("Affected"), listed(occurrence.get("resources"))),
        (_("Declared"), moment(occurrence.get("declared_at"), people and occurrence.get("declared_by"))),
    ]


def occurrence_sections(occurrence: Mapping[str, Any]) -> list[Section]:
    """Give the long texts."""
    return [
        (_("Description"), occurrence.get("description")),
        (_("Root cause"), occurrence.get("root_cause")),
        (_("Remediation"), occurrence.get("remediation")),
    ]


def moment(at: datetime | None, by: str | bool | None = None) -> list[str]:  # noqa: FBT001  (`people and name`)
    """Write when, in each of the reader's zones, and by whom."""
    reader = current_reader()
    lines = in_zones(at, reader.zones, reader.locale) if at else []
    return _with_name(lines, by) if isinstance(by, str) else lines


def _with_name(lines: list[str], name: str) -> list[str]:
    by = _("by %(name)s", name=name)
    return [f"{lines[0]} · {by}"] if len(lines) == 1 else [*lines, by]


def _before(change: Mapping[str, Any]) -> str | None:
    state, seconds = word(change.get("previous_state")), change.get("previous_state_seconds")
    if seconds is None:
        return state
    lasted = duration(seconds, current_reader().locale)
    if state is None:
        return _("%(duration)s in the previous state", duration=lasted)
    return _("%(state)s for %(duration)s", state=state, duration=lasted)
