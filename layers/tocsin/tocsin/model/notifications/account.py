"""A person's account with the publisher's product: codes and links to get in, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field

from tocsin.model.notifications.own_account import Link, MaybeLink, PerishableData, PersonalData

if TYPE_CHECKING:
    from tocsin.model.notifications.parts import NotificationData


class AccountVerificationCode(PerishableData):
    """Somebody is to show that an address is theirs. `purpose` says what for, `requested_from` from which device."""

    code: Annotated[str, Field(min_length=1, max_length=64, repr=False)]
    purpose: str | None = None
    requested_from: str | None = None


class AccountInvited(PerishableData):
    """Somebody may join the project. `message` is what `invited_by` says to them, in one line."""

    accept_url: Link
    invited_by: str | None = None
    team: str | None = None
    message: str | None = None


class AccountEmailVerified(PersonalData):
    """The recipient's address is verified. `url` is where to go on."""

    url: str | None = None


class AccountForgotPassword(PerishableData):
    """Somebody wants a new password, `requested_from` a device. Who has `reset_url` can choose it."""

    reset_url: Link
    requested_from: str | None = None


class AccountPasswordChanged(PersonalData):
    """The recipient's password was changed, `changed_from` a device. `reset_url` helps if it was somebody else."""

    changed_at: AwareDatetime | None = None
    changed_from: str | None = None
    reset_url: MaybeLink = None
    url: str | None = None


TYPES: dict[str, type[NotificationData]] = {
    "account.verification_code": AccountVerificationCode,
    "account.invited": AccountInvited,
    "account.email_verified": AccountEmailVerified,
    "account.forgot_password": AccountForgotPassword,
    "account.password_changed": AccountPasswordChanged,
}
