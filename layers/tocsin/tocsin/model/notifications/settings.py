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


class ReauthorizationRequired(NotificationData):
    """A mail account cannot send until an admin authorizes it again.

    `error` is what the identity provider or the relay said, `remedy` what to do, `url` where; each is plain text.
    """

    about = "mail_account"

    mail_account: MailAccountReference
    error: str | None = None
    remedy: str | None = None
    url: str | None = None


class SecretExpiring(NotificationData):
    """A mail account's client secret ends soon. `remedy` says what to do, `url` where; both are plain text.

    What is left is counted from the envelope's `time` to `expires_on`, in days.
    """

    about = "mail_account"

    mail_account: MailAccountReference
    expires_on: date
    remedy: str | None = None
    url: str | None = None


class TrialMessage(NotificationData):
    """Somebody tries a mail account out: who reads this knows that it sends."""

    about = "mail_account"

    mail_account: MailAccountReference


TYPES: dict[str, type[NotificationData]] = {
    "settings.reauthorization_required": ReauthorizationRequired,
    "settings.secret_expiring": SecretExpiring,
    "settings.test_message": TrialMessage,
}
