"""The audit as it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

if TYPE_CHECKING:
    from tocsin.model.audit import AuditEntry

_PLACE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z#[0-9a-f]{32}", re.ASCII)


class AuditEntryView(BaseModel):
    """One line: who did what, when, and to what. `fields` are paths, `details` say how much was done."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    admin: str
    action: str
    subject: str
    fields: tuple[str, ...]
    details: dict[str, str | int | tuple[str, ...]]


class AuditPage(BaseModel):
    """Some of what was done, newest first."""

    model_config = ConfigDict(frozen=True)

    items: tuple[AuditEntryView, ...]
    cursor: str | None


def is_place(text: str) -> bool:
    """Whether a list of the audit can go on there: behind the entry of a time, and what tells it from others."""
    return _PLACE.fullmatch(text) is not None


def view(entry: AuditEntry) -> AuditEntryView:
    """The line, for those who may read the project."""
    return AuditEntryView(
        at=entry.at,
        admin=entry.admin,
        action=entry.action,
        subject=entry.subject,
        fields=entry.fields,
        details=dict(entry.details),
    )
