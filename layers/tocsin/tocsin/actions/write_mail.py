"""Write one notification's mails: who they are from, in which thread, and what to say where one cannot be written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tocsin.errors import FilesGone, PermanentError
from tocsin.model.address import BadAddress
from tocsin.model.chunk import message_id, thread_root
from tocsin.model.custom_template import BrokenTemplate, status_page_of
from tocsin.model.links import is_one_click_link
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tocsin.actions.delivery_ports import Composer
    from tocsin.actions.keep_title import KeepTitle
    from tocsin.actions.supplement_mail import SupplementMail, Supplements
    from tocsin.actions.use_template import UseTemplate
    from tocsin.model.attachment import AttachedFile
    from tocsin.model.branding import Look
    from tocsin.model.delivery import Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import Project, ProjectSettings
    from tocsin.model.tracked_links import TrackedLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteMail:
    """The action and all that it needs.

    `links` gives canonical recipients theirs, where opens or clicks are counted; `way_out` gives subscribers the link
    by which they leave, where they need one of ours. `supplement` adds what mails carry beside their text.
    `template` is the project's own, until it fails.
    """

    composer: Composer
    notification: Notification
    settings: ProjectSettings
    clock: Callable[[], datetime]
    links: Callable[[str], TrackedLinks] | None
    way_out: Callable[[str], str | None] | None
    supplement: SupplementMail | None
    template: UseTemplate
    keep_title: KeepTitle

    def __call__(self, entry: Entry, recipient: Recipient, account: MailAccount) -> MailObject | Reply:
        """The mail to one recipient by this account; a reply where there can be none."""
        sender, supplement = account.sender(self._sender()), self.supplement
        notification, person = self.notification, recipient
        if supplement is not None:
            notification, person = supplement.source(entry.recipient, person)
        try:
            mail = self.composer.compose(
                notification,
                person,
                sender=sender,
                message_id=entry.message_id,
                thread_root=thread_root(self.notification, self._domain()),
                at=self.clock(),
                look=self._look(),
                links=self.links(entry.recipient) if self.links is not None else None,
                way_out=self._way_out(entry, recipient),
            )
            return supplement(mail, entry.recipient, sender) if supplement is not None else mail
        except BrokenTemplate as broken:
            self.template.give_up(broken)
            return self(entry, recipient, account)
        except BadAddress:
            return Reply(phase=Phase.COMPOSE, code=None, text="bad_address")
        except FilesGone:
            return Reply(phase=Phase.COMPOSE, code=None, text="attachment_missing")
        except PermanentError:
            return Reply(phase=Phase.COMPOSE, code=None, text="cannot_compose")

    def message_id(self, recipient: str) -> str:
        """The Message-ID of the mail to a canonical recipient; it is kept whichever account carries the mail."""
        return message_id(self.notification, recipient, self._domain())

    def _way_out(self, entry: Entry, recipient: Recipient) -> str | None:
        if self.way_out is None or is_one_click_link(recipient.unsubscribe_url):
            return None
        return self.way_out(entry.recipient)

    def _look(self) -> Look:
        look = self.settings.project.look(status_page_of(self.notification))
        if (title := self.keep_title.title()) is not None:
            look = replace(look, thread_title=title)
        return look if self.template.template is None else replace(look, template=self.template.template)

    def _sender(self) -> str | None:
        """The address that the publisher asks for, else the one of the status page."""
        wanted = self.notification.data.options.sender
        return wanted or self.settings.project.sender_of(status_page_of(self.notification))

    def _domain(self) -> str:
        """The domain of the route's first sender, else of any; a project without any gets one that nobody has."""
        routed = self.settings.accounts_for(route_of(self.notification))
        for account in (*routed, *self.settings.mail_accounts.values()):
            with suppress(BadAddress):
                return account.default_sender.domain
        return f"{self.notification.project_id.strip('_')}.invalid"


def supplement_for(
    notification: Notification,
    supplements: Supplements,
    files: Callable[[], Sequence[AttachedFile]],
    *,
    project: Project,
    received_at: datetime,
) -> SupplementMail | None:
    """What adds to mails that carry more than their text; few do, so it is loaded only for them."""
    if not notification.data.is_supplemented:
        return None
    from tocsin.actions.supplement_mail import SupplementMail  # noqa: PLC0415  (as above)
    from tocsin.model.copies import copies_of  # noqa: PLC0415  (as above)

    wanted = notification.data.options.calendar
    return SupplementMail(
        supplements=supplements,
        notification=notification,
        files=files,
        copies=copies_of(notification),
        wants_calendar=project.calendar if wanted is None else wanted,
        received_at=received_at,
    )
