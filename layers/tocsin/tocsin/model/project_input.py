"""A project as an admin writes it, and as an admin reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tocsin.model.branding import Branding, SubjectStyle
from tocsin.model.custom_template import STATUS_PAGE_ID_PATTERN
from tocsin.model.mail_account_input import Address, Limit, Name
from tocsin.model.project import Admin, Project, ProjectLimits, StatusPageSettings
from tocsin.model.route import FallbackPolicy, Route
from tocsin.model.storm import StormControl
from tocsin.model.tracking import Tracking
from tocsin.model.ulid import is_ulid
from tocsin.model.version_tag import tag_of
from tocsin.model.written import STRICT, Written

if TYPE_CHECKING:
    from collections.abc import Iterator


def _account_id(text: str) -> str:
    if not is_ulid(text):
        raise ValueError("it is no id of a mail account")
    return text


def _https(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_good = False
    if not is_good or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it is no https URL")
    return text


AccountId = Annotated[str, Field(min_length=26, max_length=26), AfterValidator(_account_id)]
StatusPageId = Annotated[str, Field(pattern=STATUS_PAGE_ID_PATTERN)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Url = Annotated[str, Field(max_length=2000), AfterValidator(_https)]


class AdminInput(Admin):
    """One of the people who look after the project."""

    model_config = STRICT

    email: Address
    name: Name | None = None


class BrandingInput(Branding):
    """How mails look."""

    model_config = STRICT

    logo_url: Url | None = None
    color: Color | None = None
    background_color: Color | None = None
    footer: Annotated[str, Field(max_length=2000)] | None = None


class StatusPageSettingsInput(StatusPageSettings):
    """How the mails of one status page look, where they differ from the project's, and which sender they come from.

    `sender` is the address of one of the account's senders; an account that has none such uses its default.
    """

    model_config = STRICT

    branding: BrandingInput = BrandingInput()
    sender: Address | None = None


class ProjectLimitsInput(ProjectLimits):
    """Limits of all mails of the project together, whichever account carries them; each at least one.

    What is over one waits, and those of the mail accounts hold beside them. Words to the project's own admins count in
    no limit of the project.
    """

    model_config = STRICT

    per_minute: Limit | None = None
    per_day: Limit | None = None
    per_month: Limit | None = None


class TrackingInput(Tracking):
    """Whether opens and clicks of the project's mails are counted. Both are off unless they are asked for."""

    model_config = STRICT


class StormControlInput(StormControl):
    """What happens in a storm: what people own that is not critical goes on in a digest, once they had so many mails.

    A window begins with the first mail that a person gets by a route. In it, the first `mails_per_thread` about one
    incident or the like go at once, and `mails_in_all` of the route; the rest comes in one digest at its end.
    """

    model_config = STRICT

    window_seconds: Annotated[int, Field(ge=60, le=3600)] = 600
    mails_per_thread: Annotated[int, Field(ge=1, le=1000)] = 10
    mails_in_all: Annotated[int, Field(ge=1, le=1000)] = 20


class ProjectInput(Written):
    """All that an admin may write of a project. `routes` name mail accounts, first choice first."""

    name: Name
    routes: Mapping[Route, Annotated[tuple[AccountId, ...], Field(max_length=10)]] = {}
    default_mail_account_id: AccountId | None = None
    fallback_policy: FallbackPolicy = FallbackPolicy.NONE
    on_unknown: Literal["hold", "resubmit"] = "hold"
    subject_style: SubjectStyle | None = None
    admins: Annotated[tuple[AdminInput, ...], Field(max_length=50)] = ()
    branding: BrandingInput = BrandingInput()
    status_pages: Annotated[Mapping[StatusPageId, StatusPageSettingsInput], Field(max_length=100)] = {}
    limits: ProjectLimitsInput = ProjectLimitsInput()
    tracking: TrackingInput = TrackingInput()
    storm_control: StormControlInput = StormControlInput()
    failed_summary: bool = True
    calendar: bool = True

    @model_validator(mode="after")
    def _names_each_account_once(self) -> Self:
        for route, accounts in self.routes.items():
            if len(set(accounts)) < len(accounts):
                raise ValueError(f"the route {route.value} names an account twice")
        return self

    def named_accounts(self) -> Iterator[tuple[str, str]]:
        """Each mail account that is named, behind the path of the field that names it."""
        for route, accounts in self.routes.items():
            for number, account_id in enumerate(accounts):
                yield f"routes.{route.value}.{number}", account_id
        if self.default_mail_account_id is not None:
            yield "default_mail_account_id", self.default_mail_account_id

    def project(self, project_id: str, *, version: int) -> Project:
        """The project as it is kept."""
        return Project.model_validate(self.model_dump(mode="json") | {"project_id": project_id, "version": version})


class ProjectView(BaseModel):
    """A project."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_id: str
    version: int
    name: str | None
    routes: Mapping[Route, tuple[str, ...]]
    default_mail_account_id: str | None
    fallback_policy: FallbackPolicy
    on_unknown: Literal["hold", "resubmit"]
    subject_style: SubjectStyle | None
    admins: tuple[Admin, ...]
    branding: Branding
    status_pages: Mapping[str, StatusPageSettings]
    limits: ProjectLimits
    tracking: Tracking
    storm_control: StormControl
    failed_summary: bool
    calendar: bool

    @classmethod
    def of(cls, project: Project) -> Self:
        """The project as it is shown."""
        return cls.model_validate(project.model_dump(exclude={"is_readable"}))


def etag(project: Project) -> str:
    """The strong entity tag of the project."""
    return tag_of(project.version)
