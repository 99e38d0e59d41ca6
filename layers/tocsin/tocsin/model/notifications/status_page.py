"""What status pages tell their subscribers, and their owners."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from tocsin.model.notifications.own_account import Link, MaybeLink, PerishableData, PersonalData
from tocsin.model.notifications.parts import (
    Change,
    Maintenance,
    Note,
    NotificationData,
    Occurrence,
    Part,
    StatusPage,
)

Percent = Annotated[FiniteFloat, Field(ge=0, le=100)]
Seconds = Annotated[FiniteFloat, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class PublicNote(Note):
    """A note that subscribers may read: one that says it is private is refused."""

    private: Literal[False] | None = None


class Announcement(Part):
    """What a status page announces. `description` is Markdown."""

    id: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    description: str | None = None
    posted_at: AwareDatetime | None = None
    url: str | None = None


class ReportRow(Part):
    """One resource, or a group of `resource_count` of them. `indent` is how many groups it stands in."""

    name: Annotated[str, Field(min_length=1)]
    group: bool | None = None
    indent: Annotated[int, Field(ge=0, le=10)] | None = None
    uptime_percent: Percent | None = None
    downtime_seconds: Seconds | None = None
    incident_count: Count | None = None
    resource_count: Count | None = None


class Report(Part):
    """How a period went. `name` is the period's, as in `November 2026`."""

    name: str | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    average_uptime_percent: Percent | None = None
    downtime_seconds: Seconds | None = None
    incident_count: Count | None = None
    resource_count: Count | None = None
    rows: tuple[ReportRow, ...] | None = None


class SubscriberData(NotificationData):
    """What every mail to subscribers of a status page holds."""

    for_subscribers = True

    status_page: StatusPage


class StatusPageSubscriptionConfirm(SubscriberData):
    """Somebody entered an address on a status page. `confirm_url` is for that one person: name one recipient only."""

    confirm_url: Annotated[str, Field(min_length=1)]


class StatusPageSubscribed(SubscriberData):
    """Somebody is now a subscriber."""


class StatusPageManageSubscription(SubscriberData):
    """A subscriber asked for the link to the subscription, which is the recipient's `manage_url`."""


class StatusPageIncidentCreated(SubscriberData):
    """A status page tells its subscribers of an incident."""

    about = "incident"

    incident: Occurrence


class StatusPageIncidentStateChanged(StatusPageIncidentCreated):
    """A status page tells its subscribers how an incident moves on."""

    change: Change


class StatusPageIncidentNote(StatusPageIncidentCreated):
    """A status page tells its subscribers what is new about an incident."""

    note: PublicNote


class StatusPageIncidentPostmortem(StatusPageIncidentCreated):
    """A status page tells its subscribers, in `note`, how an incident came about and what was learnt."""

    note: PublicNote


class StatusPageEpisodeCreated(SubscriberData):
    """A status page tells its subscribers of several incidents as one, which they need not know."""

    about = "episode"

    episode: Occurrence


class StatusPageEpisodeStateChanged(StatusPageEpisodeCreated):
    """A status page tells its subscribers how an episode moves on."""

    change: Change


class StatusPageEpisodeNote(StatusPageEpisodeCreated):
    """A status page tells its subscribers what is new about an episode."""

    note: PublicNote


class StatusPageAnnouncement(SubscriberData):
    """A status page announces something to its subscribers."""

    about = "announcement"

    announcement: Announcement


class StatusPageMaintenance(SubscriberData):
    """What every mail to subscribers about a maintenance holds."""

    about = "maintenance"

    maintenance: Maintenance


class StatusPageMaintenanceCreated(StatusPageMaintenance):
    """A status page tells its subscribers of a maintenance to come. `reminder`: they were told before."""

    reminder: bool | None = None


class StatusPageMaintenanceStateChanged(StatusPageMaintenance):
    """A maintenance started, ended, or moved to a state of the publisher's own."""

    change: Change


class StatusPageMaintenanceNote(StatusPageMaintenance):
    """A status page tells its subscribers what is new about a maintenance."""

    note: PublicNote


class StatusPageReport(SubscriberData):
    """A status page tells its subscribers how a period went."""

    report: Report


class OwnedStatusPage(StatusPage):
    """A status page as its owners know it. `description` is Markdown, `view_url` is where it is looked after."""

    description: str | None = None
    view_url: str | None = None


class StatusPageCreated(NotificationData):
    """A status page was made."""

    about = "status_page"

    status_page: OwnedStatusPage


class StatusPageOwnerAdded(StatusPageCreated):
    """The recipients now own a status page."""


class StatusPageAnnouncementPosted(NotificationData):
    """The owners of a status page are told what it announces."""

    about = "announcement"

    status_page: OwnedStatusPage
    announcement: Announcement


class StatusPagePrivateUserWelcome(PerishableData):
    """Somebody may now read a private status page. Who has `set_password_url` can choose their password."""

    status_page: StatusPage
    set_password_url: MaybeLink = None


class StatusPagePrivateUserForgotPassword(PerishableData):
    """Somebody wants a new password for a private status page, as of an account."""

    status_page: StatusPage
    reset_url: Link
    requested_from: str | None = None


class StatusPagePrivateUserPasswordChanged(PersonalData):
    """The recipient's password for a private status page was changed, as of an account."""

    status_page: StatusPage
    changed_at: AwareDatetime | None = None
    changed_from: str | None = None
    reset_url: MaybeLink = None
    url: str | None = None


TYPES: dict[str, type[NotificationData]] = {
    "status_page.subscription_confirm": StatusPageSubscriptionConfirm,
    "status_page.subscribed": StatusPageSubscribed,
    "status_page.manage_subscription": StatusPageManageSubscription,
    "status_page.incident_created": StatusPageIncidentCreated,
    "status_page.incident_state_changed": StatusPageIncidentStateChanged,
    "status_page.incident_note": StatusPageIncidentNote,
    "status_page.incident_postmortem": StatusPageIncidentPostmortem,
    "status_page.episode_created": StatusPageEpisodeCreated,
    "status_page.episode_state_changed": StatusPageEpisodeStateChanged,
    "status_page.episode_note": StatusPageEpisodeNote,
    "status_page.announcement": StatusPageAnnouncement,
    "status_page.maintenance_created": StatusPageMaintenanceCreated,
    "status_page.maintenance_state_changed": StatusPageMaintenanceStateChanged,
    "status_page.maintenance_note": StatusPageMaintenanceNote,
    "status_page.report": StatusPageReport,
    "status_page.created": StatusPageCreated,
    "status_page.owner_added": StatusPageOwnerAdded,
    "status_page.announcement_posted": StatusPageAnnouncementPosted,
    "status_page.private_user_welcome": StatusPagePrivateUserWelcome,
    "status_page.private_user_forgot_password": StatusPagePrivateUserForgotPassword,
    "status_page.private_user_password_changed": StatusPagePrivateUserPasswordChanged,
}
