"""Every mail that a publisher of incidents may want sent: what OneUptime calls its template, and our type for it.

A row is a family, the template, the types, and the subject's form; `…` in a template stands for Alert or Incident.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One kind of mail. `template` is None where OneUptime has none."""

    family: str
    template: str | None
    types: tuple[str, ...]
    subject: str


def _rows(family: str, rows: tuple[tuple[str | None, str, str], ...]) -> list[Row]:
    return [Row(family, template, tuple(types.split()), subject) for template, types, subject in rows]


_INCIDENT = _rows(
    "incident",
    (
        ("IncidentOwnerResourceCreated", "incident.created", "[New Incident #n] - title"),
        ("AcknowledgeIncident", "incident.acknowledge_request", "ACTION REQUIRED: Incident #n created - title"),
        ("IncidentOwnerStateChanged", "incident.state_changed", "[State Incident #n] - title"),
        ("IncidentOwnerNotePosted", "incident.note_posted", "[Update Incident #n] - title"),
        (
            "IncidentOwnerAdded",
            "incident.owner_added",
            "You have been added as the owner of Incident #n - title",
        ),
        (
            "IncidentMemberAdded",
            "incident.member_assigned",
            "You have been assigned as ROLE to Incident #n - title",
        ),
        (
            "IncidentOwnerUnresolvedReminder",
            "incident.reminder_unresolved",
            "[Reminder] Incident #n is still STATE - title",
        ),
        (None, "incident.sla_breached", "[SLA Response Breached] Incident #n - title"),
        (None, "incident.updated", "[Updated Incident #n] - title"),
    ),
)
_ALERT = _rows(
    "alert",
    (
        ("AlertOwnerResourceCreated", "alert.created", "[New Alert #n] - title"),
        ("AcknowledgeAlert", "alert.acknowledge_request", "ACTION REQUIRED: Alert #n created - title"),
        ("AlertOwnerStateChanged", "alert.state_changed", "[State Alert #n] - title"),
        ("AlertOwnerNotePosted", "alert.note_posted", "[Update Alert #n] - title"),
        ("AlertOwnerAdded", "alert.owner_added", "You have been added as the owner of Alert #n - title"),
        ("AlertOwnerUnresolvedReminder", "alert.reminder_unresolved", "[Reminder] Alert #n is still STATE - title"),
    ),
)
_EPISODE = _rows(
    "episode",
    (
        (
            "…EpisodeOwnerResourceCreated",
            "alert_episode.created incident_episode.created",
            "[New … Episode #n] - title",
        ),
        (
            "…EpisodeOwnerStateChanged",
            "alert_episode.state_changed incident_episode.state_changed",
            "[State … Episode #n] - title",
        ),
        (
            "…EpisodeOwnerNotePosted",
            "alert_episode.note_posted incident_episode.note_posted",
            "[Update … Episode #n] - title",
        ),
        (
            "…EpisodeOwnerAdded",
            "alert_episode.owner_added incident_episode.owner_added",
            "You have been added as the owner of … Episode #n - title",
        ),
        (
            "AlertEpisodeOwnerAlertAdded, IncidentEpisodeOwnerIncidentAdded",
            "alert_episode.item_added incident_episode.item_added",
            "[Episode #n] k alerts added - title",
        ),
        (
            "Acknowledge…Episode",
            "alert_episode.acknowledge_request incident_episode.acknowledge_request",
            "ACTION REQUIRED: … Episode #n created - title",
        ),
    ),
)
_SUBSCRIBER = _rows(
    "status page, to subscribers",
    (
        ("ConfirmStatusPageSubscription", "status_page.subscription_confirm", "Confirm your subscription to PAGE"),
        ("SubscribedToStatusPage", "status_page.subscribed", "You have been subscribed to PAGE"),
        (
            "ManageExistingStatusPageSubscriberSubscription",
            "status_page.manage_subscription",
            "Manage your Subscription for PAGE",
        ),
        ("SubscriberIncidentCreated", "status_page.incident_created", "[Incident] title"),
        ("SubscriberIncidentStateChanged", "status_page.incident_state_changed", "[State Incident] title"),
        ("SubscriberIncidentNoteCreated", "status_page.incident_note", "[Update Incident] title"),
        ("SubscriberIncidentPostmortemCreated", "status_page.incident_postmortem", "[Postmortem] title"),
        ("SubscriberEpisodeCreated", "status_page.episode_created", "[Incident] title"),
        ("SubscriberEpisodeStateChanged", "status_page.episode_state_changed", "[State Incident] title"),
        ("SubscriberEpisodeNoteCreated", "status_page.episode_note", "[Update Incident] title"),
        ("SubscriberAnnouncementCreated", "status_page.announcement", "[Announcement] title"),
        (
            "SubscriberScheduledMaintenanceEventCreated",
            "status_page.maintenance_created",
            "[Scheduled Maintenance] title",
        ),
        (
            "SubscriberScheduledMaintenanceEventStateChanged",
            "status_page.maintenance_state_changed",
            "[State Scheduled Maintenance] title",
        ),
        (
            "SubscriberScheduledMaintenanceEventNoteCreated",
            "status_page.maintenance_note",
            "[Update Scheduled Maintenance] title",
        ),
        ("StatusPageSubscriberReport", "status_page.report", "[Report] PAGE"),
    ),
)
_PAGE_OWNER = _rows(
    "status page, to owners and private users",
    (
        ("StatusPageOwnerResourceCreated", "status_page.created", "[Created Status Page] name"),
        ("StatusPageOwnerAdded", "status_page.owner_added", "You have been added as the owner of Status Page - name"),
        ("StatusPageOwnerAnnouncementPosted", "status_page.announcement_posted", "[Announcement] title"),
        ("StatusPageWelcomeEmail", "status_page.private_user_welcome", "Welcome to PAGE"),
        ("StatusPageForgotPassword", "status_page.private_user_forgot_password", "Reset your password for PAGE"),
        (
            "StatusPagePasswordChanged",
            "status_page.private_user_password_changed",
            "Your password for PAGE has been changed",
        ),
    ),
)
_MAINTENANCE = _rows(
    "maintenance",
    (
        (
            "ScheduledMaintenanceOwnerResourceCreated",
            "maintenance.created",
            "[Created Scheduled Maintenance #n] - title",
        ),
        (
            "ScheduledMaintenanceOwnerStateChanged",
            "maintenance.state_changed",
            "[State Scheduled Maintenance #n] - title",
        ),
        (
            "ScheduledMaintenanceOwnerNotePosted",
            "maintenance.note_posted",
            "[Update Scheduled Maintenance #n] - title",
        ),
        (
            "ScheduledMaintenanceOwnerAdded",
            "maintenance.owner_added",
            "You have been added as the owner of Scheduled Maintenance #n - title",
        ),
        (
            "ScheduledMaintenanceOwnerUnresolvedReminder",
            "maintenance.reminder_unresolved",
            "[Reminder] Scheduled Maintenance #n is still STATE - title",
        ),
    ),
)
_WATCH = [
    *_rows(
        "monitor",
        (
            ("MonitorOwnerResourceCreated", "monitor.created", "[Created Monitor] name"),
            ("MonitorOwnerAdded", "monitor.owner_added", "You have been added as the owner of Monitor - name"),
            ("MonitorOwnerStatusChanged", "monitor.status_changed", "[STATUS Monitor] name"),
            ("MonitorProbesStatus", "monitor.probe_status", "[Probes of Monitor] name"),
        ),
    ),
    *_rows("slo", (("SloOwnerStatusChanged", "slo.status_changed", "[STATUS SLO] name"),)),
    *_rows(
        "probe",
        (
            ("ProbeOffline", "probe.offline", "[Probe Offline] name"),
            ("ProbeConnectionStatusChange", "probe.connection_changed", "[STATUS Probe] name"),
            ("ProbeOwnerAdded", "probe.owner_added", "You have been added as the owner of Probe - name"),
        ),
    ),
    *_rows(
        "on-call",
        (
            ("UserCurrentlyOnOnCallRoster", "on_call.on_call_now", "You are now on call for POLICY"),
            ("UserNextOnOnCallRoster", "on_call.on_call_next", "You are next on call for POLICY"),
            (
                "UserNoLongerActiveOnOnCallRoster",
                "on_call.no_longer_on_call",
                "You are no longer on call for POLICY",
            ),
            (
                "UserAddedToOnCallPolicy",
                "on_call.added_to_policy",
                "You have been added to the on-call policy POLICY",
            ),
            (
                "UserRemovedFromOnCallPolicy",
                "on_call.removed_from_policy",
                "You have been removed from the on-call policy POLICY",
            ),
        ),
    ),
]
_OTHERS = [
    *_rows(
        "account",
        (
            ("VerificationCode", "account.verification_code", "Your verification code for PROJECT"),
            ("InviteMember", "account.invited", "You have been invited to PROJECT"),
            ("EmailVerified", "account.email_verified", "Your e-mail address for PROJECT is verified"),
            ("ForgotPassword", "account.forgot_password", "Reset your password for PROJECT"),
            ("PasswordChanged", "account.password_changed", "Your password for PROJECT has been changed"),
        ),
    ),
    *_rows(
        "generic",
        (("SimpleMessage", "generic.message", "subject"), ("BlankTemplate", "generic.html", "subject")),
    ),
    *_rows(
        "settings",
        (
            ("SMTPTest", "settings.test_message", "[Test] NAME can send"),
            (
                None,
                "settings.reauthorization_required",
                "[Action required] NAME cannot send: authorize it again",
            ),
            (None, "settings.secret_expiring", "[Reminder] The client secret of NAME expires in n days"),
            (None, "settings.breaker_opened", "[Action required] NAME is failing"),
        ),
    ),
    *_rows(
        "delivery",
        (
            (None, "delivery.failed_summary", "[Deliveries] n mails failed"),
            (None, "delivery.digest", "[Digest] n notifications in DURATION"),
        ),
    ),
]

ROWS = [*_INCIDENT, *_ALERT, *_EPISODE, *_SUBSCRIBER, *_PAGE_OWNER, *_MAINTENANCE, *_WATCH, *_OTHERS]
