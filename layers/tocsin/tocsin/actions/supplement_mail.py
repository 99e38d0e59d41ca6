"""Supplement a mail: the files and the calendar entry of its notification, and the names of those who get copies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import FilesGone, InvalidNotification

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tocsin.model.attachment import AttachedFile, Enclosures
    from tocsin.model.copies import Copies
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification, Recipient


class Supplements(Protocol):
    """Puts around a mail what it is to carry beside its text."""

    def enclosures(
        self,
        notification: Notification,
        files: Sequence[AttachedFile],
        *,
        wants_calendar: bool,
        sender: Sender,
        at: datetime,
    ) -> Enclosures | None:
        """The files, and the calendar entry if it is wanted, of a notification that came `at`; None: there is none."""
        ...

    def enclose(self, mail: MailObject, enclosures: Enclosures) -> MailObject:
        """The same mail with these around its text."""
        ...

    def name(self, mail: MailObject, people: Sequence[Recipient]) -> MailObject:
        """The same mail with a Cc field that names these people."""
        ...

    def readdress(self, mail: MailObject, to: Recipient) -> MailObject:
        """The same mail in an envelope to somebody else.

        Raises:
            BadAddress: the address is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementMail:
    """The action and all that it needs. `files` are read when the first mail is written, and encoded once a sender."""

    supplements: Supplements
    notification: Notification
    files: Callable[[], Sequence[AttachedFile]]
    copies: Copies | None
    wants_calendar: bool
    received_at: datetime
    _encoded: dict[Sender, Enclosures | None] = field(default_factory=dict, init=False)

    def source(self, recipient: str, person: Recipient) -> tuple[Notification, Recipient]:
        """What the mail to a canonical recipient is made of: a copy is made as the first recipient's mail is."""
        if self.copies is not None and recipient in self.copies.people:
            return self.copies.notification, self.copies.shown_to or self.copies.people[recipient]
        return self.notification, person

    def __call__(self, mail: MailObject, recipient: str, sender: Sender) -> MailObject:
        """The mail to a canonical recipient, whole.

        Raises:
            BadAddress: the person who is to get a copy has no address.
            FilesGone: a file cannot be read.
        """
        copies = self.copies
        if copies is not None and (recipient == copies.first or recipient in copies.people):
            mail = self.supplements.name(mail, copies.named)
        if copies is not None and recipient in copies.people:
            mail = self.supplements.readdress(mail, copies.people[recipient])
        enclosures = self._enclosures(sender)
        return self.supplements.enclose(mail, enclosures) if enclosures is not None else mail

    def _enclosures(self, sender: Sender) -> Enclosures | None:
        if sender not in self._encoded:
            try:
                files = self.files()
            except InvalidNotification as gone:
                raise FilesGone(gone.reason) from gone
            self._encoded[sender] = self.supplements.enclosures(
                self.notification, files, wants_calendar=self.wants_calendar, sender=sender, at=self.received_at
            )
        return self._encoded[sender]
