"""Deliver one chunk of a notification: journal, submit, journal the answers, tell the bus, say when to come back."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.choose_account import Unusable, Usable, choose_account
from tocsin.actions.judge import Judge
from tocsin.actions.plan import Plan, make_plan
from tocsin.actions.submit_window import Item, Journal, Window
from tocsin.errors import InvalidNotification, PermanentError, TooLate
from tocsin.model.address import BadAddress
from tocsin.model.chunk import distinct, message_id, thread_root
from tocsin.model.delivery import State
from tocsin.model.project import SYSTEM_PROJECT
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import LONGEST_WAIT, expires_at, route_of
from tocsin.model.route import FallbackPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tocsin.actions.judge import Remedies
    from tocsin.actions.log_in import LogIn
    from tocsin.actions.submit_window import Session
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import Credential
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount, Sender
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import ProjectSettings

WINDOW = 50
"""How many recipients are journaled as `submitting` at once, and so at most repeated after a crash."""


class SettingsStore(Protocol):
    """Where the projects' settings are kept."""

    def project(self, project_id: str) -> ProjectSettings | None:
        """The project's settings, at most 10 s old; None where there is no such project."""
        ...


class Suppressions(Protocol):
    """The addresses that a project will not mail."""

    def suppressed(self, project_id: str, recipients: Iterable[str]) -> AbstractSet[str]:
        """Those of the canonical recipients that are suppressed."""
        ...


class ChunkJournal(Journal, Protocol):
    """The journal of one chunk, with what it held when this worker came."""

    @property
    def received_at(self) -> datetime:
        """When the notification was first stored."""
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
    ) -> MailObject:
        """The mail for one recipient.

        Raises:
            PermanentError: it cannot be composed (`BadAddress`: it cannot be addressed).
        """
        ...


class Sessions(Protocol):
    """Sessions with relays."""

    def lease(
        self, account: MailAccount, credential: Credential | None, *, deadline: float
    ) -> AbstractContextManager[Session]:
        """A session of the account, for this caller alone until it is given back.

        Raises:
            TooLate: the account's sessions are all in use, and were until `deadline` (monotonic seconds).
        """
        ...


class Bus(Protocol):
    """Where events about deliveries go."""

    def deliveries_changed(self, chunk: Chunk, notification: Notification, changes: Sequence[Change]) -> None:
        """Publish what became of these deliveries. Never raises: it cannot change what happened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How much of the function's time is left, in seconds."""

    seconds: Callable[[], float]
    monotonic: Callable[[], float]
    function_timeout: float

    def begins(self, timeout_seconds: float) -> bool:
        """Whether a chunk may begin: `timeout_seconds` + 10 s, or two thirds of a function whose time is shorter."""
        return self.seconds() >= min(timeout_seconds + 10, self.function_timeout * 2 / 3)

    def may_go_on(self) -> bool:
        """Whether one more mail may begin: 10 s, or a third of a function whose time is shorter."""
        return self.seconds() >= min(10.0, self.function_timeout / 3)

    @property
    def deadline(self) -> float:
        """When submissions end (monotonic seconds), so that the answers are journaled and the batch still answers."""
        return self.monotonic() + self.seconds() - min(5.0, self.function_timeout / 5)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one run did.

    `states` counts the deliveries by the state they reached, `chunks` those that a large event was cut into.
    `ids` say in the log what it was about. `come_back_at` is when something of the chunk is due again; None: never on
    its own. `rejected` is the reason code. `sent_again` names the error for which the message was queued anew.
    """

    states: Counter[State] = field(default_factory=Counter)
    chunks: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    come_back_at: datetime | None = None
    rejected: str | None = None
    sent_again: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """The action and all that it needs."""

    settings: SettingsStore
    log_in: LogIn
    suppressions: Suppressions
    composer: Composer
    sessions: Sessions
    remedies: Remedies
    bus: Bus
    clock: Callable[[], datetime]

    def __call__(
        self, notification: Notification, chunk: Chunk, journal: ChunkJournal, *, time_left: TimeLeft
    ) -> Outcome:
        """Bring every delivery of the chunk that is due one step further.

        Raises:
            InvalidNotification: the project is unknown.
            TransientError: try the whole chunk again; what is journaled stands.
        """
        settings = self.settings.project(notification.project_id)
        if settings is None:
            raise unknown_project()
        return _Run(
            deliver=self,
            notification=notification,
            chunk=chunk,
            journal=journal,
            settings=settings,
            time_left=time_left,
            judge=Judge(
                remedies=self.remedies,
                route=route_of(notification),
                resubmit_unknown=settings.project.on_unknown == "resubmit",
                expires_at=expires_at(notification, received_at=journal.received_at),
            ),
        ).run()


def unknown_project() -> InvalidNotification:
    """The rejection of an event whose project is not known."""
    return InvalidNotification("unknown_project", "there is no project with this data.project.id")


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run over one chunk."""

    deliver: Deliver
    notification: Notification
    chunk: Chunk
    journal: ChunkJournal
    settings: ProjectSettings
    time_left: TimeLeft
    judge: Judge
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        recipients = distinct(self.notification.data.recipients or ())
        plan = make_plan(
            recipients,
            self.journal.entries,
            message_id=lambda recipient: message_id(self.notification, recipient, self._domain()),
            suppressed=self.deliver.suppressions.suppressed(self.chunk.project_id, recipients),
            expires_at=self.judge.expires_at,
            now=self.deliver.clock(),
        )
        for moment in plan.waiting_until:
            self._come_back(moment)
        match self._chosen() if plan.due else None:
            case Usable() as usable:
                self._submit(plan, recipients, usable)
            case Unusable() as unusable:
                self._write([*plan.decided, *self._parked(plan.due, unusable)], last=True)
            case None:
                self._write(plan.decided, last=True)
        return self.outcome

    def _chosen(self) -> Usable | Unusable:
        if not self.time_left.begins(0):  # a token may have to be renewed first, and stored
            raise TooLate("too little time is left to begin")
        system = None
        if self.settings.project.fallback_policy is FallbackPolicy.SYSTEM:
            system = self.deliver.settings.project(SYSTEM_PROJECT)
        return choose_account(
            self.notification, self.settings, self.deliver.log_in, system=system, deadline=self.time_left.deadline
        )

    def _domain(self) -> str:
        """The domain of the route's first sender, else of any; a project without any gets one that nobody has."""
        routed = self.settings.accounts_for(route_of(self.notification))
        for account in (*routed, *self.settings.mail_accounts.values()):
            with suppress(BadAddress):
                return account.default_sender.domain
        return f"{self.chunk.project_id.strip('_')}.invalid"

    def _parked(self, due: Sequence[Entry], unusable: Unusable) -> list[Change]:
        now = self.deliver.clock()
        return [
            self.judge.change(entry, unusable.reply, account=unusable.account, now=now, verdict=unusable.verdict)
            for entry in due
            if not self._waits(entry)
        ]

    def _again(self, account: MailAccount, stack: ExitStack) -> Callable[[], tuple[MailAccount, Session]] | None:
        """How to go on with another token, once, after the relay refused the one at hand."""
        grant = account.grant
        if account.auth.oauth2 is None or (grant is not None and not grant.may_be_forced(self.deliver.clock())):
            return None

        def session() -> tuple[MailAccount, Session]:
            renewed, credential = self.deliver.log_in.credential_after_refusal(
                account, deadline=self.time_left.deadline
            )
            lease = self.deliver.sessions.lease(renewed, credential, deadline=self.time_left.deadline)
            return renewed, stack.enter_context(lease)

        return session

    def _submit(self, plan: Plan, recipients: Mapping[str, Recipient], usable: Usable) -> None:
        account, timeout = usable.account, usable.account.relay.timeout_seconds
        if not self.time_left.begins(timeout):
            raise TooLate("too little time is left to begin a submission")
        with ExitStack() as stack:
            lease = self.deliver.sessions.lease(account, usable.credential, deadline=self.time_left.deadline)
            session = stack.enter_context(lease)
            if not self.time_left.begins(timeout):
                raise TooLate("the account's sessions were in use for too long")
            items, unmailable = self._composed(plan.due, recipients, account)
            self._write([*plan.decided, *unmailable], last=not items)
            window = Window(
                account=account,
                session=session,
                another_session=self._again(account, stack),
                journal=self.journal,
                judge=self.judge,
                clock=self.deliver.clock,
                may_begin=self.time_left.may_go_on,
                deadline=self.time_left.deadline,
            )
            self._submit_all(items, window)

    def _submit_all(self, items: Sequence[Item], window: Window) -> None:
        for start in range(0, len(items), WINDOW):
            if start and self._is_changed(window.account):
                self.journal.write([], last=True)
                self._come_back(self.deliver.clock())
                return
            last = start + WINDOW >= len(items)
            self._tell(window.submit(items[start : start + WINDOW], last=last))
            if window.refused is not None:
                self.deliver.log_in.renew.refused(window.account, *window.refused)
            if not last and not self.time_left.may_go_on():
                self.journal.write([], last=True)
                self._come_back(self.deliver.clock())
                return

    def _is_changed(self, account: MailAccount) -> bool:
        """Whether an admin changed or deleted the account since it was chosen."""
        settings = self.deliver.settings.project(account.project_id)
        current = settings.mail_accounts.get(account.id) if settings is not None else None
        return current is None or current.version != account.version

    def _composed(
        self, due: Sequence[Entry], recipients: Mapping[str, Recipient], account: MailAccount
    ) -> tuple[list[Item], list[Change]]:
        items: list[Item] = []
        unmailable: list[Change] = []
        for entry in due:
            mail = self._mail(entry, recipients[entry.recipient], account)
            if not isinstance(mail, Reply):
                items.append(Item(entry=entry, mail=mail))
            elif not self._waits(entry):
                unmailable.append(self.judge.change(entry, mail, account=account, now=self.deliver.clock()))
        return items, unmailable

    def _waits(self, entry: Entry) -> bool:
        """Whether the entry stays as it is where it cannot be submitted: its mail may have arrived. It is due again."""
        if entry.state is not State.UNKNOWN:
            return False
        self._come_back(min(self.deliver.clock() + LONGEST_WAIT, self.judge.expires_at))
        return True

    def _mail(self, entry: Entry, recipient: Recipient, account: MailAccount) -> MailObject | Reply:
        try:
            return self.deliver.composer.compose(
                self.notification,
                recipient,
                sender=account.sender(self.notification.data.options.sender),
                message_id=entry.message_id,
                thread_root=thread_root(self.notification, self._domain()),
                at=self.deliver.clock(),
            )
        except BadAddress:
            return Reply(phase=Phase.COMPOSE, code=None, text="bad_address")
        except PermanentError:
            return Reply(phase=Phase.COMPOSE, code=None, text="cannot_compose")

    def _write(self, changes: Sequence[Change], *, last: bool) -> None:
        if not changes:
            return
        for start in range(0, len(changes), WINDOW):
            window = changes[start : start + WINDOW]
            conflicts = self.journal.write(window, last=last and start + WINDOW >= len(changes))
            self._tell([change for change in window if change.before.recipient not in conflicts])

    def _tell(self, changes: Sequence[Change]) -> None:
        self.deliver.bus.deliveries_changed(self.chunk, self.notification, changes)
        for change in changes:
            self.outcome.states[change.state] += 1
            if change.retry_at is not None:
                self._come_back(change.retry_at)

    def _come_back(self, moment: datetime) -> None:
        earliest = self.outcome.come_back_at
        self.outcome.come_back_at = moment if earliest is None else min(earliest, moment)
