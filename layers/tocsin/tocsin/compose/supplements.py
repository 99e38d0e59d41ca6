"""What some mails carry beside their text: files, a calendar entry, a Cc field. Each is loaded when a mail needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tocsin.model.attachment import AttachedFile, Enclosures
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification, Recipient


class Supplements:
    """Puts around a mail that the composer made what it is to carry. One may be shared by threads."""

    def enclosures(
        self,
        notification: Notification,
        files: Sequence[AttachedFile],
        *,
        wants_calendar: bool,
        sender: Sender,
        at: datetime,
    ) -> Enclosures | None:
        """Encode the files, and the calendar entry of a notification that came `at`; None: there is nothing."""
        from tocsin.compose.calendar import calendar_file  # noqa: PLC0415  (most mails carry nothing)
        from tocsin.compose.enclosures import encode  # noqa: PLC0415  (as above)

        entry = calendar_file(notification, sender=sender, at=at) if wants_calendar else None
        whole = [*files, *([entry] if entry is not None else [])]
        return encode(whole, identity=f"{notification.source}\n{notification.id}") if whole else None

    def enclose(self, mail: MailObject, enclosures: Enclosures) -> MailObject:
        """Give the same mail with these around its text.

        Raises:
            CannotCompose: it has no text that they could stand around.
        """
        from tocsin.compose.enclosures import enclose  # noqa: PLC0415  (as above)

        return enclose(mail, enclosures)

    def name(self, mail: MailObject, people: Sequence[Recipient]) -> MailObject:
        """Give the same mail with a Cc field that names these people."""
        from tocsin.compose.copies import name_in_copy  # noqa: PLC0415  (as above)

        return name_in_copy(mail, people)

    def readdress(self, mail: MailObject, to: Recipient) -> MailObject:
        """Give the same mail in an envelope to somebody else.

        Raises:
            BadAddress: the address is none.
        """
        from tocsin.compose.copies import readdress  # noqa: PLC0415  (as above)

        return readdress(mail, to)
