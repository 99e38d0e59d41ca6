"""What the data of notifications is made of (DESIGN 4.1)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from tocsin.model.project import PROJECT_ID_PATTERN

Kind = Literal["critical", "major", "minor", "info"]


class Part(BaseModel):
    """Base of all parts of an event: unknown attributes are ignored, null means absent."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _null_means_absent(cls, value: Any) -> Any:  # noqa: ANN401  (any JSON value arrives here)
        if isinstance(value, dict):
            return {key: part for key, part in value.items() if part is not None}
        return value


class ProjectReference(Part):
    """The project whose mail settings are used."""

    id: Annotated[str, Field(pattern=rf"^{PROJECT_ID_PATTERN}$")]
    name: str | None = None


class Recipient(Part):
    """One person to write to. `unsubscribe_url` and `manage_url` are the publisher's own links for subscribers."""

    email: Annotated[str, Field(min_length=1, max_length=1000)]
    name: str | None = None
    role: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    unsubscribe_url: str | None = None
    manage_url: str | None = None


class PayloadReference(Part):
    """An object in the stack's PayloadBucket under `<project_id>/`. `sha256` is the hex digest of its octets."""

    bucket: str
    key: str
    version_id: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Options(Part):
    """What the publisher asks for beyond the defaults. `sender` is the address of one of the account's senders."""

    mail_account_id: str | None = None
    sender: str | None = None
    expires_at: AwareDatetime | None = None
    attachments: Annotated[tuple[Any, ...], Field(max_length=0, description="Not supported yet: must be empty.")] = ()


class Occurrence(Part):
    """An incident, an alert or an episode of them.

    `kind` gives the colour; `severity` and `state` are the publisher's own words. `description`, `root_cause` and
    `remediation` are Markdown. `first_title` is the title that it was declared with: publishers who let titles be
    changed give it, so that all mails of a thread may have one subject.
    """

    id: Annotated[str, Field(min_length=1)]
    number: int | None = None
    title: Annotated[str, Field(min_length=1)]
    first_title: str | None = None
    description: str | None = None
    severity: str | None = None
    kind: Kind | None = None
    state: str | None = None
    resources: tuple[str, ...] | None = None
    declared_at: AwareDatetime | None = None
    declared_by: str | None = None
    root_cause: str | None = None
    remediation: str | None = None
    url: str | None = None
    acknowledge_url: str | None = None


class Change(Part):
    """A change of state. `previous_state_seconds` is how long the previous state lasted."""

    previous_state: str | None = None
    state: Annotated[str, Field(min_length=1)]
    changed_at: AwareDatetime | None = None
    previous_state_seconds: Annotated[FiniteFloat, Field(ge=0)] | None = None
    changed_by: str | None = None


class Note(Part):
    """What somebody wrote about an incident or the like, in Markdown. `private`: for the project's own people only."""

    body: Annotated[str, Field(min_length=1)]
    private: bool | None = None
    posted_at: AwareDatetime | None = None
    posted_by: str | None = None


class Maintenance(Part):
    """A maintenance that is scheduled. `description` is Markdown; `first_title` is as an incident's."""

    id: Annotated[str, Field(min_length=1)]
    number: int | None = None
    title: Annotated[str, Field(min_length=1)]
    first_title: str | None = None
    description: str | None = None
    state: str | None = None
    resources: tuple[str, ...] | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    url: str | None = None


class StatusPage(Part):
    """A public or private status page. `time_zones` are the IANA names that its mails show times in."""

    id: Annotated[str, Field(min_length=1)]
    name: str | None = None
    url: str | None = None
    logo_url: str | None = None
    public: bool | None = None
    footer: str | None = None
    time_zones: tuple[str, ...] | None = None


class NotificationData(Part):
    """What every type's data holds: exactly one of `recipients` and `recipients_ref`.

    `about` names the field with the object that the notification is about. None: it belongs to no thread.
    """

    about: ClassVar[str | None] = None

    project: ProjectReference
    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)] | None = None
    recipients_ref: PayloadReference | None = None
    options: Options = Options()

    @property
    def correlation(self) -> str:
        """The name and id of the object that the notification is about, as in `incident/1042`."""
        return f"{self.about}/{getattr(self, self.about).id}" if self.about else f"project/{self.project.id}"

    @model_validator(mode="after")
    def _has_one_source_of_recipients(self) -> NotificationData:
        if (self.recipients is None) == (self.recipients_ref is None):
            raise ValueError("exactly one of recipients and recipients_ref is required")
        return self
