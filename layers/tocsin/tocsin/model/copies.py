"""Copies: what people in CC and BCC get of a notification, and which notifications have none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tocsin.errors import InvalidNotification
from tocsin.model.address import BadAddress, parse_address
from tocsin.model.chunk import distinct
from tocsin.model.notifications.parts import Recipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tocsin.model.notification import Notification
    from tocsin.model.notifications.parts import CopyRecipient

_TOGETHER = 20
_PERSONAL_TYPES = ("account.", "status_page.private_user_")  # their mails hold codes and links for one person
_PERSONAL_LINKS = ("acknowledge_url",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Who gets a copy of the mail to the recipient `first`, and what is in it.

    `people` and `first` are known by their canonical addresses; `named` stand in the Cc field. A copy is the mail of
    `notification` to `shown_to`: what was sent to the first recipient, without what is that person's own. None: that is
    nobody's address, so that each copy is to its own reader.
    """

    first: str
    people: Mapping[str, Recipient]
    named: tuple[Recipient, ...]
    notification: Notification
    shown_to: Recipient | None


def copies_of(notification: Notification) -> Copies | None:
    """Who gets copies of what this notification says to its first recipient; None where nobody does."""
    recipients = distinct(notification.data.recipients or ())
    options = notification.data.options
    people = {key: person for key, person in _people(options.cc, options.bcc).items() if key not in recipients}
    if not (people and recipients):
        return None
    first = next(iter(recipients))
    named = _people(options.cc)
    return Copies(
        first=first,
        people=people,
        named=tuple(person for key, person in people.items() if key in named),
        notification=_without_personal_links(notification),
        shown_to=_without_own_attributes(recipients[first]) if _is_address(recipients[first].email) else None,
    )


def check_copies(notification: Notification) -> None:
    """Refuse copies where they cannot be.

    Raises:
        InvalidNotification: too many; or of a list's mails, or of mails that hold a person's own links.
    """
    options = notification.data.options
    if len(options.cc) + len(options.bcc) > _TOGETHER:
        raise InvalidNotification("too_many_copies", f"data.options: cc and bcc hold more than {_TOGETHER} together")
    if notification.data.recipients_ref is not None:
        raise InvalidNotification("copies_not_allowed", "data.options: no copies of what goes to a recipients_ref")
    if _is_personal(notification):
        raise InvalidNotification(
            "copies_not_allowed", "data.options: no copies of this type, its mails hold a person's own links"
        )


def _is_personal(notification: Notification) -> bool:
    return notification.for_subscribers or notification.type.startswith(_PERSONAL_TYPES)


def _people(*lists: Iterable[CopyRecipient]) -> dict[str, Recipient]:
    return distinct(Recipient(email=person.email, name=person.name) for people in lists for person in people)


def _is_address(email: str) -> bool:
    try:
        parse_address(email)
    except BadAddress:
        return False
    return True


def _without_own_attributes(recipient: Recipient) -> Recipient:
    return Recipient(email=recipient.email, name=recipient.name, locale=recipient.locale, time_zone=recipient.time_zone)


def _without_personal_links(notification: Notification) -> Notification:
    """The same in which nobody can act in the first recipient's name."""
    name = notification.data.about
    part: Any = getattr(notification.data, name) if name is not None else None
    present = [link for link in _PERSONAL_LINKS if getattr(part, link, None) is not None]
    if name is None or not present:
        return notification
    changed = part.model_copy(update=dict.fromkeys(present))
    return replace(notification, data=notification.data.model_copy(update={name: changed}))
