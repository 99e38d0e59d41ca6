"""Fakes of what the actions need, and entries for them to work on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tocsin.actions.choose_account import candidates, choose_account
from tocsin.actions.gate import Gate
from tocsin.actions.judge import Judge
from tocsin.actions.storm import Storm
from tocsin.model.delivery import Change, Entry, State
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import patience, route_of
from tocsin.model.route import Route
from tocsin.model.shared_item import SharedItem, SharedItemsChanged

from tests.unit.model.examples import NOW, notification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.actions.choose_account import Unusable, Usable, Waiting
    from tocsin.actions.log_in import LogIn
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.project import ProjectSettings

ACCEPTED = Reply(phase=Phase.DATA, code=250, text="250 ok")
LOST = Reply(phase=Phase.AFTER_DATA, code=None, text="connection closed")


@dataclass(slots=True, kw_only=True)
class FakeRemedies:
    """Knows the class of a failure by the reply's text: `throttled`, `network` and so on. A lost answer is unknown."""

    wait_seconds: int | None = None
    asked: list[tuple[str, int | None, str | None]] = field(default_factory=list)

    def verdict(self, reply: Reply, *, auth_type: str, port: int | None = None, host: str | None = None) -> Verdict:
        """The class that the reply names."""
        self.asked.append((auth_type, port, host))
        own = {"connection closed": FailureClass.NETWORK, "out_of_time": FailureClass.NETWORK}
        failure_class = own.get(reply.text) or FailureClass(reply.text)
        if reply.phase is Phase.AFTER_DATA:
            failure_class = FailureClass.UNKNOWN
        return Verdict(
            failure_class=failure_class, remedy_id=f"{failure_class}", remedy="Help.", wait_seconds=self.wait_seconds
        )


def failure(failure_class: FailureClass, *, code: int | None = 450) -> Reply:
    """A reply that `FakeRemedies` puts in this class."""
    return Reply(phase=Phase.RCPT, code=code, text=failure_class.value)


def judge(
    *,
    remedies: FakeRemedies | None = None,
    route: Route = Route.INCIDENT,
    resubmit_unknown: bool = False,
    expires_at: datetime = NOW + timedelta(hours=6),
) -> Judge:
    """A judge of one notification."""
    return Judge(
        remedies=remedies or FakeRemedies(), route=route, resubmit_unknown=resubmit_unknown, expires_at=expires_at
    )


def entry(state: State = State.SUBMITTING, *, attempt: int = 1, number: int = 0, resubmitted: bool = False) -> Entry:
    """What the journal holds about one delivery."""
    return Entry(
        recipient=f"p{number}@example.org",
        state=state,
        attempt=attempt,
        message_id=f"<{number}@acme.example>",
        resubmitted=resubmitted,
    )


def mail(recipient: str) -> MailObject:
    """A mail to a recipient."""
    return MailObject(envelope=Envelope(mail_from="ops@acme.example", rcpt_to=recipient), content=b"Subject: x\r\n\r\n")


@dataclass(slots=True, kw_only=True)
class FakeJournal:
    """A journal that keeps every write; `standing` is what another worker wrote meanwhile."""

    standing: dict[str, Entry] = field(default_factory=dict)
    writes: list[tuple[list[Change], bool]] = field(default_factory=list)
    beside: list[list[SharedItem]] = field(default_factory=list)
    races: list[Sequence[SharedItem]] = field(default_factory=list)

    def write(self, changes: Sequence[Change], *, last: bool, beside: Sequence[SharedItem] = ()) -> Mapping[str, Entry]:
        """Keep the changes but those that another worker was before; each of `races` is lost first."""
        if beside and self.races:
            raise SharedItemsChanged(self.races.pop(0))
        self.beside.append([*beside])
        conflicts = {
            change.before.recipient: self.standing[change.before.recipient]
            for change in changes
            if change.before.recipient in self.standing
        }
        self.writes.append(([change for change in changes if change.before.recipient not in conflicts], last))
        return conflicts


@dataclass(slots=True, kw_only=True)
class FakeSession:
    """A session with a relay that gives these replies, then accepts. `told` are the recipients it heard of.

    Each call gives the replies from their beginning; those of an iterator are given once in all.
    """

    replies: Iterable[Reply] = ()
    before_each: Callable[[], None] = lambda: None
    told: list[str] = field(default_factory=list)
    deadline: float | None = None
    renewed: list[Credential | None] = field(default_factory=list)
    is_open: bool = False

    def held_until(self, moment: datetime) -> SharedItem:
        """A slot of its own."""
        return SharedItem(key="slot#acme#first#0", version=1, forgotten_at=moment)

    def kept_open(self) -> SharedItem | None:
        """It is closed with its connection."""
        return None

    def learn(self, items: Iterable[SharedItem]) -> None:
        """There is nobody else."""

    def renew(self, account: MailAccount, credential: Credential | None) -> None:
        """Note the credential."""
        del account
        self.renewed.append(credential)

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Iterator[Reply]:
        """The replies, and after them acceptance."""
        self.deadline = deadline
        replies = iter(self.replies)
        for one in mails:
            self.before_each()
            self.told.append(one.envelope.rcpt_to)
            yield next(replies, ACCEPTED)


def gate(*items: SharedItem) -> Gate:
    """A gate that knows these items; an account's limits are its own."""
    return Gate(
        limits=lambda account: account.limits,
        route=Route.INCIDENT,
        clock=lambda: NOW,
        jitter=lambda: 0.0,
        items={item.key: item for item in items},
    )


def calm() -> Storm:
    """A notification of which nothing is ever held."""
    return Storm(
        notification=notification(), control=None, clock=lambda: NOW, jitter=lambda: 0.0, write_ahead=lambda _: None
    )


def choose(
    notification: Notification,
    settings: ProjectSettings,
    log_in: LogIn,
    *items: SharedItem,
    system: ProjectSettings | None = None,
) -> Usable | Waiting | Unusable:
    """The choice among the notification's candidates."""
    accounts = candidates(notification, settings, system)
    until = NOW + patience(route_of(notification))
    return choose_account(notification, accounts, log_in, gate(*items), patient_until=until, deadline=0)
