"""What `Deliver` needs of the world: settings, journal, composer, sessions, and whoever must be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tocsin.actions.submit_window import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tocsin.actions.gate import News
    from tocsin.actions.submit_window import Session
    from tocsin.model.branding import Look
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import Credential
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount, Sender
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import Project, ProjectSettings
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply
    from tocsin.model.shared_item import SharedItem


class SettingsStore(Protocol):
    """Where the projects' settings are kept."""

    def project(self, project_id: str) -> ProjectSettings | None:
        """The project's settings, at most 10 s old; None where there is no such project."""
        ...

    def remembered(self, project_id: str) -> ProjectSettings | None:
        """The project's settings as they were last read, however long ago; None where there is no such project."""
        ...


class LookUp(Protocol):
    """One read of what must be known before anything is decided."""

    def __call__(
        self,
        project_id: str,
        recipients: Iterable[str],
        keys: Iterable[str],
        *,
        remembered: Iterable[Project | MailAccount] = (),
    ) -> tuple[AbstractSet[str], Sequence[SharedItem]]:
        """Those of the canonical recipients that are suppressed, and the shared items under `keys`, there or not.

        Raises:
            SettingsChanged: not all that is `remembered` still stands.
        """
        ...


class ChunkJournal(Journal, Protocol):
    """The journal of one chunk, with what it held when this worker came."""

    @property
    def received_at(self) -> datetime:
        """When the notification was first stored."""
        ...

    @property
    def is_stored(self) -> bool:
        """Whether the notification is stored, so that the chunk can come back by its pointer."""
        ...

    @property
    def entries(self) -> Mapping[str, Entry]:
        """What was written about the chunk's deliveries, by canonical recipient."""
        ...


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
        look: Look,
    ) -> MailObject:
        """The mail for one recipient.

        Raises:
            PermanentError: it cannot be composed (`BadAddress`: it cannot be addressed).
        """
        ...


class Sessions(Protocol):
    """Sessions with relays."""

    def lease(
        self, account: MailAccount, credential: Credential | None, *, known: Iterable[SharedItem], deadline: float
    ) -> AbstractContextManager[Session]:
        """A session of the account, for this caller alone until it is given back; `known` are slots as just read.

        Raises:
            TooLate: this process has the account's sessions all in use, and had until `deadline` (monotonic seconds).
            ConnectionsInUse: other processes have them.
        """
        ...


class AccountNotices(Protocol):
    """Who must know how an account fares. Never raises: it cannot change what happened."""

    def tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        """Tell what became known, with what the account failed with."""
        ...

    def month_used_up(self, account: MailAccount, until: datetime) -> None:
        """See to it that what is parked goes again when the next month begins."""
        ...


class Bus(Protocol):
    """Where events about deliveries go."""

    def deliveries_changed(self, chunk: Chunk, notification: Notification, changes: Sequence[Change]) -> None:
        """Publish what became of these deliveries. Never raises: it cannot change what happened."""
        ...
