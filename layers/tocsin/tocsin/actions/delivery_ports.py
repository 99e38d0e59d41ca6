"""What `Deliver` needs of the world: settings, journal, composer, sessions, and whoever must be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tocsin.actions.window_ports import Journal
from tocsin.model.suppression_scope import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tocsin.actions.delivery_run import TimeLeft
    from tocsin.actions.gate import News
    from tocsin.actions.window_ports import Session
    from tocsin.model.branding import Look
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import Credential
    from tocsin.model.custom_template import CustomTemplate
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount, Sender
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import Project, ProjectSettings
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply
    from tocsin.model.shared_item import SharedItem
    from tocsin.model.storm import StormGroup
    from tocsin.model.suppression_scope import Scope
    from tocsin.model.tracked_links import TrackedLinks
    from tocsin.model.tracking import Tracking


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
        scope: Scope = ALL,
        templates: Iterable[str] = (),
    ) -> tuple[AbstractSet[str], Sequence[SharedItem], Mapping[str, CustomTemplate]]:
        """Those of the canonical recipients that are suppressed, and the shared items under `keys`, there or not.

        Suppressed for everything, or for what `scope` names. Those of `templates` that there are come by their names.

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

    def compose(  # noqa: PLR0913  (each is a fact of its own, and named)
        self,
        notification: Notification,
        recipient: Recipient,
        *,
        sender: Sender,
        message_id: str,
        thread_root: str,
        at: datetime,
        look: Look,
        links: TrackedLinks | None,
        way_out: str | None,
    ) -> MailObject:
        """The mail for one recipient, by whose `links` it tells of opens and clicks.

        `way_out` is a link of ours to leave a list by, for who has none of the publisher's that a mail program follows.

        Raises:
            PermanentError: it cannot be composed (`BadAddress`: it cannot be addressed).
        """
        ...


class OfferWayOut(Protocol):
    """What makes the links by which subscribers leave a status page's list."""

    def __call__(self, notification: Notification, *, since: datetime) -> Callable[[str], str | None] | None:
        """What gives each canonical recipient a link; None where nobody gets one.

        Raises:
            TransientError: there is no key now.
        """
        ...


class TrackLinks(Protocol):
    """What makes the addresses that tell of opens and clicks."""

    def __call__(
        self, notification: Notification, chunk: Chunk, tracking: Tracking, *, since: datetime
    ) -> Callable[[str], TrackedLinks] | None:
        """What gives each canonical recipient links; None where nothing is counted. Never raises."""
        ...


class Sessions(Protocol):
    """Sessions with relays."""

    def lease(
        self,
        account: MailAccount,
        credential: Credential | None,
        *,
        known: Iterable[SharedItem],
        deadline: float,
        leaves_one: bool,
    ) -> AbstractContextManager[Session]:
        """A session of the account, for this caller alone until it is given back; `known` are slots as just read.

        `leaves_one`: of several connections, one is left to callers who do not.

        Raises:
            TooLate: this process has the account's sessions all in use, and had until `deadline` (monotonic seconds).
            ConnectionsInUse: other processes have them.
        """
        ...


class AccountNotices(Protocol):
    """Who must know how an account fares."""

    def tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        """Tell what became known, with what the account failed with. Never raises: it cannot change what happened."""
        ...

    def deliveries_failed(self, project_id: str, *, received_at: datetime) -> None:
        """See to it that the admins read of deliveries, of a notification that came then, that failed now.

        Never raises, as above.
        """
        ...

    def month_used_up(self, project_id: str, account: MailAccount | None, until: datetime) -> None:
        """See to it that what is parked for the account goes again when the next month begins; None: for none.

        Raises:
            TransientError: that cannot be written now, so nothing may be parked.
        """
        ...


class SendDigest(Protocol):
    """What sends the digest of a group whose window is over."""

    def __call__(self, group: StormGroup, recipient: Recipient, *, time_left: TimeLeft) -> AbstractSet[DeliveryKey]:
        """Send it; the deliveries that are so at their end. There are none while somebody else is at it."""
        ...


class Bus(Protocol):
    """Where events about deliveries go."""

    def deliveries_changed(self, chunk: Chunk, notification: Notification, changes: Sequence[Change]) -> None:
        """Publish what became of these deliveries. Never raises: it cannot change what happened."""
        ...
