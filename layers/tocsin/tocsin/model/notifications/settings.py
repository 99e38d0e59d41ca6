"""Mail accounts that need a hand, as the admins of their project are told of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from tocsin.model.notifications.parts import NotificationData, Part


class MailAccountReference(Part):
    """The mail account that a notification to admins is about. `provider` is a preset's name."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    provider: str | None = None


class OfMailAccount(NotificationData):
    """What every mail about a mail account holds."""

    about = "mail_account"
    for_admins = True

    mail_account: MailAccountReference


class ReauthorizationRequired(OfMailAccount):
    """A mail account cannot send until an admin authorizes it again.

    `error` is what the identity provider or the relay said, `remedy` what to do, `url` where; each is plain text.
    """

    error: str | None = None
    remedy: str | None = None
    url: str | None = None


class SecretExpiring(OfMailAccount):
    """A mail account's client secret ends soon. `remedy` says what to do, `url` where; both are plain text.

    What is left is counted from the envelope's `time` to `expires_on`, in days.
    """

    expires_on: date
    remedy: str | None = None
    url: str | None = None


class BreakerOpened(OfMailAccount):
    """A mail account fails again and again: it is left alone, for a while or, if it `waits_for_admin`, for good.

    `error` is what the relay answered last, at the envelope's `time`; `remedy` and `url` are as above.
    """

    waits_for_admin: bool | None = None
    error: str | None = None
    remedy: str | None = None
    url: str | None = None


class TrialMessage(OfMailAccount):
    """Somebody tries a mail account out: who reads this knows that it sends."""


TYPES: dict[str, type[NotificationData]] = {
    "settings.reauthorization_required": ReauthorizationRequired,
    "settings.secret_expiring": SecretExpiring,
    "settings.breaker_opened": BreakerOpened,
    "settings.test_message": TrialMessage,
}
