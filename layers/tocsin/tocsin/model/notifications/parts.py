"""What the data of notifications is made of (DESIGN 4.1)."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from tocsin.model.project import PROJECT_ID_PATTERN

if TYPE_CHECKING:
    from tocsin.model.route import Route

Kind = Literal["critical", "major", "minor", "info"]
_MEDIA = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*"
_CONTENT_TYPE = rf"^{_MEDIA}/{_MEDIA}(; ?charset=[A-Za-z0-9._-]+)?$"
_CONTENT_ID = r"^[A-Za-z0-9._+-]+(@[A-Za-z0-9.-]+)?$"


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
    """One person to write to. `unsubscribe_url` and `manage_url` are the publisher's own links for subscribers.

    Without an `unsubscribe_url` that is https and no longer than 900 characters, a subscriber gets one of ours.
    """

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


class Attachment(Part):
    """A file that goes along with every mail: its octets in base64, or a reference to them; exactly one of the two.

    With `inline` and a `content_id` it is a picture that Markdown shows as `![what it shows](cid:content_id)`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["content_base64"], "properties": {"content_base64": {"type": "string"}}},
                {"required": ["ref"], "properties": {"ref": {"type": "object"}}},
            ]
        }
    )

    name: Annotated[str, Field(min_length=1, max_length=255)]
    content_type: Annotated[str, Field(max_length=200, pattern=_CONTENT_TYPE)] | None = None
    inline: bool | None = None
    content_id: Annotated[str, Field(max_length=100, pattern=_CONTENT_ID)] | None = None
    content_base64: str | None = None
    ref: PayloadReference | None = None

    @model_validator(mode="after")
    def _has_one_source_of_octets(self) -> "Attachment":
        if (self.content_base64 is None) == (self.ref is None):
            raise ValueError("exactly one of content_base64 and ref is required")
        return self


class CopyRecipient(Part):
    """Somebody who gets a copy of the first recipient's mail."""

    email: Annotated[str, Field(min_length=1, max_length=1000)]
    name: str | None = None


class Options(Part):
    """What the publisher asks for beyond the defaults. `sender` is the address of one of the account's senders.

    `cc` and `bcc` get a copy each of what the first recipient gets: 20 people together at most, and none of what holds
    a person's own links. `calendar`: whether mails about a maintenance bring an entry for calendars; null: as the
    project has it.
    """

    mail_account_id: str | None = None
    sender: str | None = None
    expires_at: AwareDatetime | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()
    cc: Annotated[tuple[CopyRecipient, ...], Field(max_length=20)] = ()
    bcc: Annotated[tuple[CopyRecipient, ...], Field(max_length=20)] = ()
    calendar: bool | None = None


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
    `for_subscribers`: it goes to subscribers of a status page, who may leave; all others to people of the project.
    `for_admins`: it tells these what they must put right, by whichever mail account still can. `is_personal`: it holds
    what is for the eyes of one person.
    """

    about: ClassVar[str | None] = None
    for_subscribers: ClassVar[bool] = False
    for_admins: ClassVar[bool] = False
    is_personal: ClassVar[bool] = False

    project: ProjectReference
    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)] | None = None
    recipients_ref: PayloadReference | None = None
    options: Options = Options.model_construct()

    @property
    def everybody(self) -> tuple[Recipient, ...]:
        """Who is written to: the recipients that the event itself names, and behind them those who get copies."""
        copies = (*self.options.cc, *self.options.bcc)
        return (*(self.recipients or ()), *(Recipient(email=one.email, name=one.name) for one in copies))

    @property
    def is_supplemented(self) -> bool:
        """Whether its mails may carry anything beside their text, or go to others in copy."""
        has_calendar = self.about == "maintenance" and self.options.calendar is not False
        return bool(self.options.attachments or self.options.cc or self.options.bcc) or has_calendar

    @property
    def route(self) -> "Route | None":
        """The route that it goes by; None: that of its type's family."""
        return None

    @property
    def correlation(self) -> str:
        """The name and id of the object that the notification is about, as in `incident/1042`."""
        return f"{self.about}/{getattr(self, self.about).id}" if self.about else f"project/{self.project.id}"

    def ends_at(self, told_at: datetime) -> datetime | None:  # noqa: ARG002  (what others count from)
        """When it is of no use any more, by what it says itself, told at `told_at`; None where it says nothing."""
        return None

    @model_validator(mode="after")
    def _has_one_source_of_recipients(self) -> "NotificationData":
        if (self.recipients is None) == (self.recipients_ref is None):
            raise ValueError("exactly one of recipients and recipients_ref is required")
        return self
