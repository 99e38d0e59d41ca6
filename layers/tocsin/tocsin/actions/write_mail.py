"""Write one notification's mails: who they are from, in which thread, and what to say where one cannot be written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.errors import PermanentError
from tocsin.model.address import BadAddress
from tocsin.model.branding import Look
from tocsin.model.chunk import message_id, thread_root
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import route_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.delivery_ports import Composer
    from tocsin.model.delivery import Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import ProjectSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteMail:
    """The action and all that it needs."""

    composer: Composer
    notification: Notification
    settings: ProjectSettings
    clock: Callable[[], datetime]

    def __call__(self, entry: Entry, recipient: Recipient, account: MailAccount) -> MailObject | Reply:
        """The mail to one recipient by this account; a reply where there can be none."""
        try:
            return self.composer.compose(
                self.notification,
                recipient,
                sender=account.sender(self.notification.data.options.sender),
                message_id=entry.message_id,
                thread_root=thread_root(self.notification, self._domain()),
                at=self.clock(),
                look=self._look(),
            )
        except BadAddress:
            return Reply(phase=Phase.COMPOSE, code=None, text="bad_address")
        except PermanentError:
            return Reply(phase=Phase.COMPOSE, code=None, text="cannot_compose")

    def message_id(self, recipient: str) -> str:
        """The Message-ID of the mail to a canonical recipient; it is kept whichever account carries the mail."""
        return message_id(self.notification, recipient, self._domain())

    def _look(self) -> Look:
        project = self.settings.project
        return Look(branding=project.branding, project_name=project.name, subject_style=project.subject_style)

    def _domain(self) -> str:
        """The domain of the route's first sender, else of any; a project without any gets one that nobody has."""
        routed = self.settings.accounts_for(route_of(self.notification))
        for account in (*routed, *self.settings.mail_accounts.values()):
            with suppress(BadAddress):
                return account.default_sender.domain
        return f"{self.notification.project_id.strip('_')}.invalid"
