"""All that `Deliver` asks for, as a fake that unit tests change under its hands."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tocsin.actions.deliver import Deliver
from tocsin.actions.log_in import LogIn
from tocsin.compose.supplements import Supplements
from tocsin.model.credential import AccountSecret
from tocsin.model.shared_item import SharedItem

from tests.unit.actions.fakes import FakeJournal, FakeRemedies, FakeSession, mail
from tests.unit.model.examples import NOW, account, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.actions.gate import News
    from tocsin.model.branding import Look
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import Credential
    from tocsin.model.custom_template import CustomTemplate
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount, Sender
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import ProjectSettings
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply
    from tocsin.model.tracked_links import TrackedLinks


@dataclass(slots=True, kw_only=True)
class FakeChunkJournal(FakeJournal):
    """The journal of a new chunk."""

    received_at: datetime = NOW
    is_stored: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """All that `Deliver` asks for; `settings_now` may be changed under its hands."""

    settings_now: ProjectSettings | None = field(default_factory=lambda: settings(account()))
    relay: FakeSession = field(default_factory=FakeSession)
    told: list[Change] = field(default_factory=list)

    def project(self, project_id: str) -> ProjectSettings | None:
        """The settings as they are now."""
        assert project_id == "acme"
        return self.settings_now

    def remembered(self, project_id: str) -> ProjectSettings | None:
        """The same."""
        return self.project(project_id)

    def look_up(
        self,
        project_id: str,
        recipients: Iterable[str],
        keys: Iterable[str],
        *,
        remembered: Iterable[object] = (),
        scope: str = "all",
        templates: Iterable[str] = (),
    ) -> tuple[frozenset[str], list[SharedItem], Mapping[str, CustomTemplate]]:
        """Nobody is suppressed, and nothing shared; there are no templates."""
        del project_id, recipients, remembered, scope, templates
        return frozenset(), [SharedItem(key=key) for key in keys], {}

    def tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        """Nothing becomes known of the account."""
        raise NotImplementedError

    def deliveries_failed(self, project_id: str, *, received_at: datetime) -> None:
        """Nothing fails for good."""
        raise NotImplementedError

    def month_used_up(self, project_id: str, account: MailAccount | None, until: datetime) -> None:
        """As above."""
        raise NotImplementedError

    def compose(  # noqa: PLR0913  (the port's own signature)
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
        """A mail of no account."""
        del notification, sender, message_id, thread_root, at, look, links, way_out
        return mail(recipient.email)

    @contextmanager
    def lease(
        self,
        account: MailAccount,
        credential: Credential | None,
        *,
        known: Iterable[SharedItem],
        deadline: float,
        leaves_one: bool,
    ) -> Iterator[FakeSession]:
        """The one session."""
        del account, credential, known, deadline, leaves_one
        yield self.relay

    def deliveries_changed(self, chunk: Chunk, notification: Notification, changes: Sequence[Change]) -> None:
        """Keep what is told."""
        del chunk, notification
        self.told += changes

    def secret(self, account: MailAccount) -> AccountSecret:
        """A password."""
        return AccountSecret.model_validate({"saved_for": account.secret_binding, "password": "s3cret"})

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """There is no grant to renew."""
        raise NotImplementedError

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """As above."""
        raise NotImplementedError


def deliver_in(surroundings: Surroundings, **ports: Any) -> Deliver:  # noqa: ANN401  (ports of every kind)
    """The action in these surroundings; `ports` take the places of theirs."""
    usual = Deliver(
        settings=surroundings,
        log_in=LogIn(secrets=surroundings, renew=surroundings, clock=lambda: NOW),
        look_up=surroundings.look_up,
        limits=lambda account: account.limits,
        notices=surroundings,
        composer=surroundings,
        sessions=surroundings,
        remedies=FakeRemedies(),
        supplements=Supplements(),
        bus=surroundings,
        send_digest=lambda *_, time_left: frozenset(),  # noqa: ARG005  (the port's name)
        write_counts=lambda _: None,
        track=lambda *_, since: None,  # noqa: ARG005  (the port's name)
        offer_way_out=lambda _, since: None,  # noqa: ARG005  (the port's names)
        tell_of_template=lambda _, __: None,
        clock=lambda: NOW,
        jitter=lambda: 0.0,
    )
    return replace(usual, **ports)
