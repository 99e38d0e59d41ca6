"""How a project's mails look, and how their subjects are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from tocsin.model.custom_template import CustomTemplate


class Branding(BaseModel):
    """How the project's mails look. Colours are `#rrggbb`; what is no such colour counts as absent."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    logo_url: str | None = None
    color: str | None = None
    background_color: str | None = None
    footer: str | None = None

    def over(self, other: Branding) -> Branding:
        """This branding, and where it says nothing, the other."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


class SubjectStyle(StrEnum):
    """Whether the mails of a thread share one subject, as Gmail wants it, or each says what happened."""

    STABLE = "stable"
    DESCRIPTIVE = "descriptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadTitle:
    """What makes the one subject of a thread: its title, and its number if it has one."""

    title: str
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a project decided about its mails, for those who compose them.

    `project_name` stands where an event names none. Without a `subject_style`, subscribers of status pages get
    descriptive subjects and all others stable ones. `thread_title` is what the first mail of the thread had, where
    that is known. `template` is the project's own for mails of this kind, where it has one.
    """

    branding: Branding = Branding.model_construct()  # noqa: RUF009  (it is frozen)
    project_name: str | None = None
    subject_style: SubjectStyle | None = None
    thread_title: ThreadTitle | None = None
    template: CustomTemplate | None = None
