"""A project's settings: its routes, and the mail accounts they name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tocsin.model.branding import Branding, Look, SubjectStyle
from tocsin.model.route import FallbackPolicy, Route
from tocsin.model.storm import StormControl
from tocsin.model.tracking import Tracking

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

PROJECT_ID_PATTERN = r"[a-z0-9][a-z0-9-]{0,62}"
SYSTEM_PROJECT = "_system"
"""The reserved project that holds the installation's own mail accounts."""


_PROJECT_ID = re.compile(rf"{PROJECT_ID_PATTERN}|{SYSTEM_PROJECT}", re.ASCII)


def is_project_id(text: str) -> bool:
    """Whether a project may have this id."""
    return _PROJECT_ID.fullmatch(text) is not None


class Admin(BaseModel):
    """One of the people who look after a project."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    email: Annotated[str, Field(min_length=1, max_length=1000)]
    name: str | None = None


class StatusPageSettings(BaseModel):
    """What a project decided for the mails of one status page; `sender` is the address of one of its senders."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    branding: Branding = Branding.model_construct()
    sender: str | None = None


class ProjectLimits(BaseModel):
    """What all mails of the project may use up together, whichever account carries them. None means no limit."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    per_minute: int | None = None
    per_day: int | None = None
    per_month: int | None = None


class Project(BaseModel):
    """What a project decided for all of its notifications.

    `routes` hold mail account ids, first choice first. `subject_style` None: subscribers get descriptive
    subjects, all others stable ones. `status_pages` are by their ids. `admins` are told what only they can put right,
    and, if there is a `failed_summary`, what failed each day. `calendar`: mails about a maintenance bring an entry for
    calendars. `is_readable` is false where what is stored is no project's settings: nothing of it is used.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    project_id: Annotated[str, Field(pattern=rf"^(?:{PROJECT_ID_PATTERN}|_system)$")]
    version: int
    name: str | None = None
    routes: Mapping[Route, tuple[str, ...]] = {}
    default_mail_account_id: str | None = None
    fallback_policy: FallbackPolicy = FallbackPolicy.NONE
    on_unknown: Literal["hold", "resubmit"] = "hold"
    subject_style: SubjectStyle | None = None
    admins: tuple[Admin, ...] = ()
    branding: Branding = Branding.model_construct()
    status_pages: Mapping[str, StatusPageSettings] = {}
    limits: ProjectLimits = ProjectLimits.model_construct()
    tracking: Tracking = Tracking.model_construct()
    storm_control: StormControl = StormControl.model_construct()
    failed_summary: bool = True
    calendar: bool = True
    is_readable: bool = True

    @property
    def decided(self) -> dict[str, Any]:
        """What an admin decided, as JSON has it."""
        return self.model_dump(mode="json", exclude={"project_id", "version", "is_readable"})

    @property
    def is_told_of_failures(self) -> bool:
        """Whether its admins get a summary of each day in which deliveries failed."""
        return self.failed_summary and bool(self.admins)

    @property
    def named_accounts(self) -> frozenset[str]:
        """The ids of the mail accounts that its routes and its default name."""
        named = {account_id for route in self.routes.values() for account_id in route}
        return frozenset(named | ({self.default_mail_account_id} if self.default_mail_account_id else set()))

    def without(self, account_id: str) -> "Project":
        """The project in its next version, of which no route names the account any more, nor does the default."""
        routes = {route: tuple(one for one in named if one != account_id) for route, named in self.routes.items()}
        default = self.default_mail_account_id if self.default_mail_account_id != account_id else None
        update = {"version": self.version + 1, "routes": routes, "default_mail_account_id": default}
        return self.model_copy(update=update)

    def look(self, status_page_id: str | None) -> Look:
        """How its mails look; those of a status page with branding of its own look so, as far as that goes."""
        page = self.status_pages.get(status_page_id or "")
        branding = self.branding if page is None else page.branding.over(self.branding)
        return Look(branding=branding, project_name=self.name, subject_style=self.subject_style)

    def sender_of(self, status_page_id: str | None) -> str | None:
        """The address that the mails of a status page come from, if that is decided."""
        page = self.status_pages.get(status_page_id or "")
        return page.sender if page is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """A project with its mail accounts by id, as read at one time; `is_old`: so long ago that they may have changed."""

    project: Project
    mail_accounts: "Mapping[str, MailAccount]"
    is_old: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every account that the project names was there, and could be read."""
        return self.project.named_accounts <= self.mail_accounts.keys()

    def accounts_for(self, route: Route) -> "tuple[MailAccount, ...]":
        """The accounts that carry `route`, first choice first, as far as the project allows fall-back.

        A project without this route uses its default account.
        """
        named = self.project.routes.get(route) or ()
        if not named and self.project.default_mail_account_id is not None:
            named = (self.project.default_mail_account_id,)
        accounts = tuple(self.mail_accounts[name] for name in named if name in self.mail_accounts)
        return accounts[:1] if self.project.fallback_policy is FallbackPolicy.NONE else accounts
