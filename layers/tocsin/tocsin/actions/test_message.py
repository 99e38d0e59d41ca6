"""Compose the test message of a mail account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import PermanentError
from tocsin.model.chunk import message_id, thread_root
from tocsin.model.notification import Notification, Recipient
from tocsin.model.notifications.parts import ProjectReference
from tocsin.model.notifications.settings import MailAccountReference, TrialMessage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount, Sender

_SOURCE = "/tocsin"


class Composer(Protocol):
    """Makes mails."""

    def compose(
        self,
        notification: Notification,
        recipient: Recipient,
        *,
        sender: Sender,
        message_id: str,
        thread_root: str,
        at: datetime,
    ) -> MailObject:
        """The mail for one recipient.

        Raises:
            PermanentError: it cannot be composed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeTestMessage:
    """The action and all that it needs. Each message is one of its own; those of an account are one thread.

    It is no notification: neither the delivery log nor the account's limits know of it.
    """

    composer: Composer
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def __call__(self, account: MailAccount, to: str) -> MailObject | None:
        """The message to `to`, from the account's default sender; None where it cannot be composed."""
        now, recipient = self.clock(), Recipient(email=to)
        notification = Notification(
            source=_SOURCE,
            id=f"test_message/{account.id}/{self.new_id()}",
            type="settings.test_message",
            time=now,
            subject=f"mail_account/{account.id}",
            data=TrialMessage(
                project=ProjectReference.model_construct(id=account.project_id, name=None),
                recipients=(recipient,),
                mail_account=MailAccountReference(id=account.id, name=account.name, provider=account.provider),
            ),
        )
        try:
            domain = account.default_sender.domain
            return self.composer.compose(
                notification,
                recipient,
                sender=account.default_sender,
                message_id=message_id(notification, to, domain),
                thread_root=thread_root(notification, domain),
                at=now,
            )
        except PermanentError:
            return None
