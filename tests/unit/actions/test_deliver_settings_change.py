"""A run whose mail account an admin changes stops between two windows, and the chunk comes back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.deliver import WINDOW, Deliver
from tocsin.actions.delivery_run import TimeLeft
from tocsin.actions.log_in import LogIn
from tocsin.model.chunk import chunk_of
from tocsin.model.credential import AccountSecret
from tocsin.model.delivery import State
from tocsin.model.event import check_event
from tocsin.model.shared_item import SharedItem

from tests.unit.actions.fakes import FakeJournal, FakeRemedies, FakeSession, mail
from tests.unit.model.examples import NOW, account, event, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tocsin.actions.gate import News
    from tocsin.model.branding import Look
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import Credential
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount, Sender
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import ProjectSettings
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

_RECIPIENTS = WINDOW + 10


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
        self, project_id: str, recipients: Iterable[str], keys: Iterable[str], *, remembered: Iterable[object] = ()
    ) -> tuple[frozenset[str], list[SharedItem]]:
        """Nobody is suppressed, and nothing shared."""
        del project_id, recipients, remembered
        return frozenset(), [SharedItem(key=key) for key in keys]

    def tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        """Nothing becomes known of the account."""
        raise NotImplementedError

    def month_used_up(self, account: MailAccount, until: datetime) -> None:
        """As above."""
        raise NotImplementedError

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
        """A mail of no account."""
        del notification, sender, message_id, thread_root, at, look
        return mail(recipient.email)

    @contextmanager
    def lease(
        self, account: MailAccount, credential: Credential | None, *, known: Iterable[SharedItem], deadline: float
    ) -> Iterator[FakeSession]:
        """The one session."""
        del account, credential, known, deadline
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


@dataclass(slots=True, kw_only=True)
class FakeChunkJournal(FakeJournal):
    """The journal of a new chunk."""

    received_at: datetime = NOW
    is_stored: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)


def _deliver(surroundings: Surroundings) -> tuple[FakeChunkJournal, datetime | None]:
    """Deliver to more than one window; the journal, and when the chunk comes back."""
    whole = event()
    whole["data"]["recipients"] = [{"email": f"p{number}@example.org"} for number in range(_RECIPIENTS)]
    notification, journal = check_event(whole), FakeChunkJournal()
    deliver = Deliver(
        settings=surroundings,
        log_in=LogIn(secrets=surroundings, renew=surroundings, clock=lambda: NOW),
        look_up=surroundings.look_up,
        limits=lambda account: account.limits,
        notices=surroundings,
        composer=surroundings,
        sessions=surroundings,
        remedies=FakeRemedies(),
        bus=surroundings,
        clock=lambda: NOW,
        jitter=lambda: 0.0,
    )
    time_left = TimeLeft(seconds=lambda: 60.0, monotonic=lambda: 0.0, function_timeout=60.0)
    outcome = deliver(notification, chunk_of(notification), journal, time_left=time_left)
    return journal, outcome.come_back_at


def _at_mail(number: int, act: Callable[[], None], relay: FakeSession) -> Callable[[], None]:
    return lambda: act() if len(relay.told) == number else None


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(settings(account(version=2)), id="changed"),
        pytest.param(settings(), id="deleted"),
        pytest.param(None, id="project-deleted"),
    ],
)
@pytest.mark.parametrize("at_mail", [0, WINDOW - 1])
def test_an_account_that_was_changed_stops_the_run_between_windows(after: ProjectSettings | None, at_mail: int) -> None:
    around = Surroundings()

    def change() -> None:
        around.settings_now = after

    around.relay.before_each = _at_mail(at_mail, change, around.relay)

    journal, come_back_at = _deliver(around)

    assert len(around.relay.told) == WINDOW
    assert [change.state for change in around.told] == [State.ACCEPTED] * WINDOW
    assert journal.writes[-1] == ([], True)  # the chunk is given back
    assert sum(last for _, last in journal.writes) == 1
    assert come_back_at == NOW


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(settings(account()), id="read-again"),
        pytest.param(settings(account(credential_version="v2")), id="token-renewed"),
        pytest.param(settings(account(), account("second", version=9)), id="another-account"),
    ],
)
def test_what_no_admin_changed_of_the_account_does_not_stop_the_run(after: ProjectSettings) -> None:
    around = Surroundings()

    def change() -> None:
        around.settings_now = after

    around.relay.before_each = _at_mail(0, change, around.relay)

    _, come_back_at = _deliver(around)

    assert len(around.relay.told) == _RECIPIENTS
    assert come_back_at is None
