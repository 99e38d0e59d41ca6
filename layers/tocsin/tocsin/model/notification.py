"""The notification event: a CloudEvents 1.0 envelope around one type's data (DESIGN 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from tocsin.model.project import PROJECT_ID_PATTERN

if TYPE_CHECKING:
    from datetime import datetime

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
    """An incident or an alert. `kind` gives the colour; `severity` and `state` are the publisher's own words.

    `description`, `root_cause` and `remediation` are Markdown.
    """

    id: Annotated[str, Field(min_length=1)]
    number: int | None = None
    title: Annotated[str, Field(min_length=1)]
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


class StatusPage(Part):
    """A public or private status page. `time_zones` are the IANA names that its mails show times in."""

    id: Annotated[str, Field(min_length=1)]
    name: str | None = None
    url: str | None = None
    logo_url: str | None = None
    public: bool | None = None
    footer: str | None = None
    time_zones: tuple[str, ...] | None = None


class MailAccountReference(Part):
    """The mail account that a notification to admins is about. `provider` is a preset's name."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    provider: str | None = None


class NotificationData(Part):
    """What every type's data holds: exactly one of `recipients` and `recipients_ref`."""

    project: ProjectReference
    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)] | None = None
    recipients_ref: PayloadReference | None = None
    options: Options = Options()

    @property
    def correlation(self) -> str:
        """The name and id of the object that the notification is about, as in `incident/1042`."""
        name = next(name for name in ("incident", "alert", "mail_account") if name in type(self).model_fields)
        return f"{name}/{getattr(self, name).id}"

    @model_validator(mode="after")
    def _has_one_source_of_recipients(self) -> NotificationData:
        if (self.recipients is None) == (self.recipients_ref is None):
            raise ValueError("exactly one of recipients and recipients_ref is required")
        return self


class IncidentCreated(NotificationData):
    """An incident was declared."""

    incident: Occurrence


class IncidentStateChanged(IncidentCreated):
    """An incident was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


class AlertCreated(NotificationData):
    """An alert was raised."""

    alert: Occurrence


class AlertStateChanged(AlertCreated):
    """An alert was acknowledged, resolved, or moved to a state of the publisher's own."""

    change: Change


class StatusPageIncidentCreated(NotificationData):
    """A status page tells its subscribers of an incident."""

    status_page: StatusPage
    incident: Occurrence


class StatusPageIncidentStateChanged(StatusPageIncidentCreated):
    """A status page tells its subscribers how an incident moves on."""

    change: Change


class ReauthorizationRequired(NotificationData):
    """A mail account cannot send until an admin authorizes it again.

    `error` is what the identity provider or the relay said, `remedy` what to do, `url` where; each is plain text.
    """

    mail_account: MailAccountReference
    error: str | None = None
    remedy: str | None = None
    url: str | None = None


class SecretExpiring(NotificationData):
    """A mail account's client secret ends soon. `remedy` says what to do, `url` where; both are plain text.

    What is left is counted from the envelope's `time` to `expires_on`, in days.
    """

    mail_account: MailAccountReference
    expires_on: date
    remedy: str | None = None
    url: str | None = None


CATALOGUE: dict[str, type[NotificationData]] = {
    "incident.created": IncidentCreated,
    "incident.state_changed": IncidentStateChanged,
    "alert.created": AlertCreated,
    "alert.state_changed": AlertStateChanged,
    "status_page.incident_created": StatusPageIncidentCreated,
    "status_page.incident_state_changed": StatusPageIncidentStateChanged,
    "settings.reauthorization_required": ReauthorizationRequired,
    "settings.secret_expiring": SecretExpiring,
}
"""Every event type we know, and what its `data` holds."""


_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"


class Envelope(Part):
    """The CloudEvents attributes (CloudEvents 1.0, JSON structured mode). `subject` names the thread."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(min_length=1, max_length=256, pattern=_PRINTABLE)]
    source: Annotated[str, Field(min_length=1, max_length=512, pattern=_PRINTABLE)]
    type: str
    time: AwareDatetime | None = None
    subject: str | None = None
    datacontenttype: Literal["application/json"] | None = None
    data: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One event, checked. `source` + `id` is its idempotency key within the project."""

    source: str
    id: str
    type: str
    time: datetime | None
    subject: str | None
    data: NotificationData

    @property
    def project_id(self) -> str:
        """The project whose settings are used."""
        return self.data.project.id

    @property
    def family(self) -> str:
        """What stands before the dot of the type."""
        return self.type.partition(".")[0]

    @property
    def correlation(self) -> str:
        """What the notification is about, as in `incident/1042`: the publisher's subject, else its own object."""
        return self.subject or self.data.correlation
