"""A template of a project's own for one type of mail, what it is looked up by, and what is wrong with one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tocsin.errors import PermanentError

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.notification import Notification

type Part = Literal["subject", "text", "html"]

PARTS: tuple[Part, ...] = ("subject", "text", "html")
BUILT_IN_ONLY = frozenset({"settings.test_message"})
"""Types whose mails are always the built-in ones: they test an account, and nothing else."""

KEPT_VERSIONS = 10
"""How many versions are kept behind the one that stands."""

STATUS_PAGE_ID_PATTERN = r'^[!"$-~]{1,200}$'
"""What a status page's id is, for settings of its own: printable ASCII without spaces and `#`."""

_TYPE = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,60}")
_STATUS_PAGE_ID = re.compile(STATUS_PAGE_ID_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong when a mail was to be written by the template. `reason` holds no value of an event."""

    at: datetime
    part: Part
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which mails a template is for; `status_page_id` None: all of the type."""

    type: str
    status_page_id: str | None = None

    @property
    def name(self) -> str:
        """What such a template is kept under, within its project."""
        return self.type if self.status_page_id is None else f"{self.type}#{self.status_page_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomTemplate:
    """The sources of one version; a part that is None is the built-in one.

    One for a status page goes before that for all mails of its type.
    """

    project_id: str
    scope: Scope
    version: int
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    updated_at: datetime
    updated_by: str
    last_error: Failure | None = None

    @property
    def name(self) -> str:
        """What it is kept under, within its project."""
        return self.scope.name

    @property
    def type(self) -> str:
        """The type of mail that it is for."""
        return self.scope.type

    def source(self, part: Part) -> str | None:
        """The source of one part."""
        return {"subject": self.subject, "text": self.text, "html": self.html}[part]


class BrokenTemplate(PermanentError):
    """A custom template cannot be used: one part, at a line if that is known. Texts hold no value of an event."""

    def __init__(self, reason: str, *, part: Part, line: int | None = None, remedy: str | None = None) -> None:
        super().__init__(f"{part}, line {line}: {reason}" if line is not None else f"{part}: {reason}")
        self.reason = reason
        self.part = part
        self.line = line
        self.remedy = remedy


def template_names(notification: Notification) -> tuple[str, ...]:
    """The names of the templates that a notification's mails may be written by, the first choice first."""
    page_id = status_page_of(notification)
    if page_id is None or not _STATUS_PAGE_ID.fullmatch(page_id):
        return (notification.type,)
    return (Scope(type=notification.type, status_page_id=page_id).name, notification.type)


def is_template_name(text: str) -> bool:
    """Whether a template may be kept under this name."""
    type_, separator, page_id = text.partition("#")
    return _TYPE.fullmatch(type_) is not None and (not separator or _STATUS_PAGE_ID.fullmatch(page_id) is not None)


def status_page_of(notification: Notification) -> str | None:
    """The id of the status page that a notification is about."""
    page = getattr(notification.data, "status_page", None)
    return page.id if page is not None else None
