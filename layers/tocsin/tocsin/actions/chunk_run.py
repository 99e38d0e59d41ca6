"""One run over one chunk: journal, submit, journal the answers, tell the bus, say when to come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from tocsin.actions.choose_account import Unusable, Usable, Waiting, candidates, choose_account, is_to_admins
from tocsin.actions.counted import MONTHS_USED_UP, OVER_LIMITS
from tocsin.actions.delivery_run import Outcome, TimeLeft
from tocsin.actions.plan import make_plan
from tocsin.actions.submit_window import Item, Window
from tocsin.errors import ConnectionsInUse, SettingsChanged, TooLate
from tocsin.model.chunk import distinct
from tocsin.model.day_of_failures import has_failures
from tocsin.model.delivery import Change, State
from tocsin.model.project import SYSTEM_PROJECT
from tocsin.model.rate import next_month
from tocsin.model.redrive import DeliveryKey
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import LONGEST_WAIT, is_bulk, patience, route_of, wait_for_connection, within_life
from tocsin.model.route import FallbackPolicy
from tocsin.model.shared_item import SharedItemsChanged
from tocsin.model.subscribers import listed_page
from tocsin.model.suppression_scope import ALL, page_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from tocsin.actions.deliver import Deliver
    from tocsin.actions.delivery_ports import ChunkJournal
    from tocsin.actions.gate import Gate
    from tocsin.actions.judge import Judge
    from tocsin.actions.storm import Storm
    from tocsin.actions.window_ports import Session
    from tocsin.actions.write_mail import WriteMail
    from tocsin.model.chunk import Chunk
    from tocsin.model.credential import Credential
    from tocsin.model.delivery import Entry
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.project import Project, ProjectSettings
    from tocsin.model.remedy import Verdict
    from tocsin.model.shared_item import SharedItem

WINDOW = 50
"""How many recipients are journaled as `submitting` at once, and so at most repeated after a crash."""

_ROUNDS = 5
_DIGEST_PAUSE = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class ChunkRun:
    """One run over one chunk, with what `deliver` needs for all of them.

    `crowded` is an account that could send if it had a connection to spare, where others were asked instead. Before it
    `has_begun` a window, nothing need be stored that a pointer could lead to.
    """

    deliver: Deliver
    notification: Notification
    chunk: Chunk
    journal: ChunkJournal
    settings: ProjectSettings
    read_settings: Callable[[str], ProjectSettings | None]
    time_left: TimeLeft
    write_mail: WriteMail
    gate: Gate
    storm: Storm
    judge: Judge
    outcome: Outcome = field(default_factory=Outcome)
    pending: list[Entry] = field(default_factory=list)
    has_begun: bool = False
    crowded: MailAccount | None = None

    def run(self) -> Outcome:
        """Bring every delivery that is due one step further; raises what `Deliver` does."""
        recipients = distinct(self.notification.data.everybody)
        system = self._system()
        named = candidates(self.notification, self.settings, system)
        accounts = tuple({(account.project_id, account.id): account for account in named}.values())
        suppressed, shared, templates = self.deliver.look_up(
            self.chunk.project_id,
            recipients,
            [*self.gate.keys(accounts), *self.storm.keys(recipients), *self.write_mail.keep_title.keys()],
            remembered=self._unconfirmed(system, accounts),
            scope=page_scope(page.id) if (page := listed_page(self.notification)) else ALL,
            templates=self.write_mail.template.names,
        )
        self.write_mail.template.learn(templates)
        self.gate.learn(shared)
        self.storm.learn(shared)
        plan = make_plan(
            recipients,
            self.journal.entries,
            message_id=self.write_mail.message_id,
            suppressed=suppressed,
            ends_at=self.judge.ends_at,
            now=self.deliver.clock(),
        )
        for moment in plan.waiting_until:
            self._come_back(moment)
        self.pending = plan.due
        changes = [*plan.decided, *self._held()]
        self._write(changes, last=not self.pending)
        self.gate.has_waited = any(entry.state is State.DEFERRED for entry in self.pending)
        if self.pending:
            self._bring_further(accounts, recipients)
        self._send_digests(plan.for_digest, recipients)
        self.write_mail.template.report(self.outcome)
        return self.outcome

    def _held(self) -> list[Change]:
        """Those that are pending no longer, because their recipients were mailed enough."""
        held = self.storm.held(self.pending, lambda reply: self.judge.verdict(reply, None))
        waiting = {change.before.recipient for change in held}
        self.pending = [entry for entry in self.pending if entry.recipient not in waiting]
        return held

    def _send_digests(self, held: Sequence[Entry], recipients: Mapping[str, Recipient]) -> None:
        """Send the digests that these wait for; what no digest is sent of now comes back."""
        for entry in held:
            digested: AbstractSet[DeliveryKey] = frozenset()
            if self.time_left.may_go_on():
                group, recipient = self.storm.group(entry.recipient), recipients[entry.recipient]
                digested = self.deliver.send_digest(group, recipient, time_left=self.time_left)
            if digested:
                self.outcome.states[State.SUPPRESSED] += len(digested)
            if DeliveryKey(chunk=self.chunk, recipient=entry.recipient) not in digested:
                self._come_back(self.deliver.clock() + _DIGEST_PAUSE * (1 + self.deliver.jitter()))

    def _bring_further(self, accounts: Sequence[MailAccount], recipients: Mapping[str, Recipient]) -> None:
        try:
            while self.pending and self._goes_on(accounts, recipients):
                pass
        except TooLate:
            self.journal.write([], last=True)  # whoever comes next need not wait for the end of a lease
            if not self.has_begun:
                raise
            self._come_back(self.deliver.clock())  # what the first account could not send is due at once

    def _goes_on(self, accounts: Sequence[MailAccount], recipients: Mapping[str, Recipient]) -> bool:
        """Bring what is pending further by one account; whether it is now another's turn."""
        match self._chosen(accounts):
            case Usable() as usable:
                has_next = usable.account.id != accounts[-1].id
                return self._submit(recipients, usable, next_from=self._patient_until() if has_next else None)
            case Waiting() | Unusable() if self.crowded is not None:
                self._wait_for_connection(self.crowded)
            case Waiting() as waiting:
                self._wait(waiting)
            case Unusable() as unusable:
                self._not_tried(unusable.reply, unusable.verdict, unusable.account)
        return False

    def _system(self) -> ProjectSettings | None:
        """The installation's own accounts, where they may be fallen back on."""
        policy = self.settings.project.fallback_policy
        if policy is FallbackPolicy.SYSTEM or is_to_admins(self.notification):
            return self.read_settings(SYSTEM_PROJECT)
        return None

    def _unconfirmed(
        self, system: ProjectSettings | None, accounts: Sequence[MailAccount]
    ) -> list[Project | MailAccount]:
        """What this run relies on of settings that may have changed.

        Raises:
            SettingsChanged: an account may have come that would carry the notification.
        """
        old = [read for read in (self.settings, system) if read is not None and read.is_old]
        if old and not (accounts and all(read.is_complete for read in old)):
            raise SettingsChanged("not all accounts are known")
        projects = {read.project.project_id: read.project for read in old}
        return [*projects.values(), *(account for account in accounts if account.project_id in projects)]

    def _chosen(self, accounts: Sequence[MailAccount]) -> Usable | Waiting | Unusable:
        if not self.time_left.begins(0):  # a token may have to be renewed first, and stored
            raise TooLate("too little time is left to begin")
        if not self.settings.project.is_readable:
            return Unusable(account=None, reply=_UNREADABLE)
        return choose_account(
            self.notification,
            accounts,
            self.deliver.log_in,
            self.gate,
            patient_until=self._patient_until(),
            deadline=self.time_left.deadline,
        )

    def _not_tried(self, reply: Reply, verdict: Verdict | None, account: MailAccount | None) -> None:
        """Write of all that is pending what `reply` means for it, though it was not submitted."""
        now = self.deliver.clock()
        changes = [
            self.judge.change(entry, reply, account=account, now=now, verdict=verdict)
            for entry in self.pending
            if not self._waits(entry)
        ]
        if reply.text in MONTHS_USED_UP:
            self.deliver.notices.month_used_up(self.chunk.project_id, account, next_month(now))
        self._write(changes, last=True)

    def _wait(self, waiting: Waiting) -> None:
        """Defer all that is pending until the account may submit again; where it is over its limit, by turns."""
        for _ in range(_ROUNDS):
            is_over_limit = waiting.reply.text in OVER_LIMITS
            booked = self.gate.book(waiting.account, len(self.pending)) if is_over_limit else None
            until, booking = booked or (waiting.until, [])
            try:
                return self._write(self._deferred(waiting, until), last=True, beside=booking)
            except SharedItemsChanged as changed:
                self.gate.learn(changed.items)
        return self._write(self._deferred(waiting, waiting.until), last=True)

    def _deferred(self, waiting: Waiting, until: datetime) -> list[Change]:
        now = self.deliver.clock()
        return [
            Change(
                before=entry,
                state=State.DEFERRED,
                attempt=entry.attempt,
                mail_account_id=waiting.account.id,
                reply=waiting.reply,
                verdict=waiting.verdict or self.judge.verdict(waiting.reply, waiting.account),
                retry_at=within_life(until, ends_at=self.judge.ends_at(entry), now=now, not_before=now).astimezone(UTC),
            )
            for entry in self.pending
            if not self._waits(entry)
        ]

    def _wait_for_connection(self, account: MailAccount) -> None:
        """Come back soon; nothing is written of what is stored: a large event's chunks wait hundreds of times."""
        now = self.deliver.clock()
        waited = now - self.journal.received_at
        until = now + wait_for_connection(route_of(self.notification), waited, jitter=self.deliver.jitter())
        if not self.journal.is_stored:
            return self._wait(Waiting(account=account, until=until, reply=_CONNECTIONS_IN_USE))
        self.journal.write([], last=True)
        return self._come_back(until)

    def _another_credential(self, account: MailAccount) -> tuple[MailAccount, Credential]:
        """The account with another token than the one that its relay refused; errors as `LogIn` says."""
        return self.deliver.log_in.credential_after_refusal(account, deadline=self.time_left.deadline)

    def _patient_until(self) -> datetime:
        return self.journal.received_at + patience(route_of(self.notification))

    def _submit(self, recipients: Mapping[str, Recipient], usable: Usable, *, next_from: datetime | None) -> bool:
        """Submit what is pending by this account; whether to choose again for what is still pending then."""
        account, timeout = usable.account, usable.account.relay.timeout_seconds
        if not self.time_left.begins(timeout):
            raise TooLate("too little time is left to begin a submission")
        try:
            with self.deliver.sessions.lease(
                account,
                usable.credential,
                known=self.gate.slots(),
                deadline=self.time_left.deadline,
                leaves_one=is_bulk(route_of(self.notification)),
            ) as session:
                if not self.time_left.begins(timeout):
                    raise TooLate("the account's sessions were in use for too long")
                return self._submit_all(recipients, self._window(usable, session, next_from))
        except ConnectionsInUse:
            if next_from is None or self.deliver.clock() < next_from:
                self._wait_for_connection(account)
                return False
            self.crowded = account
            self.gate.give_up(account, _CONNECTIONS_IN_USE, None)
            return True

    def _window(self, usable: Usable, session: Session, next_from: datetime | None) -> Window:
        return Window(
            account=usable.account,
            session=session,
            gate=self.gate,
            counts=self.storm,
            also_claimed=self.write_mail.keep_title.claim,
            another_credential=self._another_credential if usable.account.auth.oauth2 is not None else None,
            journal=self.journal,
            judge=self.judge,
            clock=self.deliver.clock,
            may_begin=self.time_left.may_go_on,
            slot_ends_at=lambda: self.deliver.clock() + timedelta(seconds=self.time_left.seconds()),
            deadline=self.time_left.deadline,
            instead_of=usable.instead_of,
            next_account_from=next_from,
            others_come_back=usable.others_come_back or self.crowded is not None,
        )

    def _submit_all(self, recipients: Mapping[str, Recipient], window: Window) -> bool:
        """Submit what is pending, window by window, while time and the account allow it; whether to choose again."""
        is_first = True
        while self.pending:
            if not is_first and (self._is_changed(window.account) or not self.time_left.may_go_on()):
                raise TooLate("the account was changed, or too little time is left for one more window")
            room = self.gate.room(window.account, min(len(self.pending), WINDOW))
            if room == 0:
                return True
            stop = self._submit_some(room, recipients, window)
            if self.gate.is_given_up(window.account):
                return True
            if stop is not None and self.pending:
                self._not_tried(*stop, window.account)
                return False
            if held := self._held():
                self._write(held, last=not self.pending)
            is_first = False
        return False

    def _submit_some(
        self, room: int, recipients: Mapping[str, Recipient], window: Window
    ) -> tuple[Reply, Verdict | None] | None:
        """Submit the first that are pending, as many as there is room for; what ended it for the whole account."""
        part, rest = self.pending[:room], self.pending[room:]
        items, unmailable = self._composed(part, recipients, window.account)
        self._write(unmailable, last=not items and not rest)
        self.pending = rest
        if not items:
            return None
        self.pending = [*(item.entry for item in items), *rest]  # as long as nothing is written of them
        submitted = window.submit(items, last=not rest)
        self.has_begun |= len(submitted.left) < len(items)
        passed_on = [change.after for change in submitted.passed_on]
        self.pending = [*passed_on, *(item.entry for item in submitted.left), *rest]
        if submitted.stop is not None and passed_on:
            self.gate.give_up(window.account, *submitted.stop)
        self._tell(submitted.changes)
        for news in submitted.news:
            self.deliver.notices.tell(window.account, news, submitted.failure)
        if window.refused is not None:
            self.deliver.log_in.renew.refused(window.account, *window.refused)
        if submitted.trouble is not None:
            raise submitted.trouble
        return submitted.stop

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
            mail = self.write_mail(entry, recipients[entry.recipient], account)
            if not isinstance(mail, Reply):
                items.append(Item(entry=entry, mail=mail))
            elif not self._waits(entry):
                unmailable.append(self.judge.change(entry, mail, account=account, now=self.deliver.clock()))
        return items, unmailable

    def _waits(self, entry: Entry) -> bool:
        """Whether the entry stays as it is where it cannot be submitted: its mail may have arrived. It is due again."""
        if entry.state is not State.UNKNOWN:
            return False
        self._come_back(min(self.deliver.clock() + LONGEST_WAIT, self.judge.ends_at(entry)))
        return True

    def _write(self, changes: Sequence[Change], *, last: bool, beside: Sequence[SharedItem] = ()) -> None:
        if last and not changes:
            self.journal.write([], last=True)
        for start in range(0, len(changes), WINDOW):
            window = changes[start : start + WINDOW]
            conflicts = self.journal.write(
                window, last=last and start + WINDOW >= len(changes), beside=beside if start == 0 else ()
            )
            self._tell([change for change in window if change.before.recipient not in conflicts])

    def _tell(self, changes: Sequence[Change]) -> None:
        self.deliver.bus.deliveries_changed(self.chunk, self.notification, changes)
        if self.settings.project.is_told_of_failures and has_failures(self.notification, changes):
            self.deliver.notices.deliveries_failed(self.chunk.project_id, received_at=self.journal.received_at)
        for change in changes:
            self.outcome.states[change.state] += 1
            self.outcome.without_last_resort |= change.state is State.PARKED and is_to_admins(self.notification)
            if change.retry_at is not None:
                self._come_back(change.retry_at)

    def _come_back(self, moment: datetime) -> None:
        earliest = self.outcome.come_back_at
        self.outcome.come_back_at = moment if earliest is None else min(earliest, moment)


_CONNECTIONS_IN_USE = Reply(phase=Phase.SETTINGS, code=None, text="connections_in_use")
_UNREADABLE = Reply(phase=Phase.SETTINGS, code=None, text="project_unreadable")
