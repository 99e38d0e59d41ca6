"""What is remembered of a change of settings, or of a consent: who, when, what, and never a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ABSENT = object()
"""Stands where one of two documents has no such field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit. `admin` is the caller's id at the issuer; `subject` names what it was done to.

    `action` is `<resource>.<what>`, such as `mail_account.changed`; `fields` are paths, `details` say
    how much was done, and by which filter.
    """

    project_id: str
    at: datetime
    admin: str
    action: str
    subject: str
    fields: tuple[str, ...] = ()
    details: Mapping[str, str | int | tuple[str, ...]] = field(default_factory=dict)


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """The paths of what differs between two documents; what is in a list counts as the list."""
    return tuple(sorted(_changed(before, after, prefix="")))


def _changed(before: Mapping[str, object], after: Mapping[str, object], *, prefix: str) -> Iterable[str]:
    for name in before.keys() | after.keys():
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _changed(old, new, prefix=f"{prefix}{name}.")
        elif old != new:
            yield f"{prefix}{name}"
