"""What was edited in an incident: short fields in rows of before and now, long ones in sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.translate import N_, gettext
from tocsin.compose.values import one_line
from tocsin.compose.words import sentence_case, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tocsin.compose.occurrence import Section

type Row = tuple[str, str | None, str | None]
"""A field's name, what it was, and what it is."""

_NAMES = {"title": N_("Title"), "severity": N_("Severity"), "state": N_("State"), "resources": N_("Affected")}
_WORDS = frozenset({"severity", "state", "kind"})
_LONG = {
    "description": (N_("Description"), N_("Description now"), N_("Description before")),
    "root_cause": (N_("Root cause"), N_("Root cause now"), N_("Root cause before")),
    "remediation": (N_("Remediation"), N_("Remediation now"), N_("Remediation before")),
}


def edit_rows(edits: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Give the short fields that were edited."""
    return [_row(edit["field"] or "", edit) for edit in edits if edit["field"] not in _LONG]


def edit_sections(edits: Iterable[Mapping[str, Any]], occurrence: Mapping[str, Any]) -> list[Section]:
    """Give all long texts; of those that were edited, what they were too."""
    edited = {edit["field"]: edit for edit in edits}
    return [section for field in _LONG for section in _sections(field, edited.get(field), occurrence.get(field))]


def _row(field: str, edit: Mapping[str, Any]) -> Row:
    name = gettext(_NAMES[field]) if field in _NAMES else sentence_case(field.replace("_", " ")) or gettext("(no name)")
    old, new = (one_line(edit[which] or "") or None for which in ("old", "new"))
    return (name, word(old), word(new)) if field in _WORDS else (name, old, new)


def _sections(field: str, edit: Mapping[str, Any] | None, shown: str | None) -> list[Section]:
    as_ever, now, before = map(gettext, _LONG[field])
    if edit is None:
        return [(as_ever, shown)]
    return [(now, shown or edit["new"]), (before, edit["old"])]
