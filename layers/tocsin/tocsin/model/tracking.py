"""Whether a project counts who opens its mails and follows their links, and in which mails it may."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

_FAMILIES = frozenset(
    {
        "alert",
        "alert_episode",
        "incident",
        "incident_episode",
        "maintenance",
        "monitor",
        "on_call",
        "probe",
        "slo",
        "status_page",
    }
)
"""What is of no such family is never tracked: mails about accounts, logins and settings are nobody's to count."""

_PERSONAL = ("status_page.manage_", "status_page.private_user_", "status_page.subscri")
"""How the types begin whose mails are about one person's own subscription or login."""


class Tracking(BaseModel):
    """What a project counts of its mails: both off, unless an admin says so."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    opens: bool = False
    clicks: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything is counted."""
        return self.opens or self.clicks


def may_be_tracked(event_type: str) -> bool:
    """Whether mails of this type may be tracked, if their project wants it."""
    return event_type.partition(".")[0] in _FAMILIES and not event_type.startswith(_PERSONAL)
