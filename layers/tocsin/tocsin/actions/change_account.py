"""Change a mail account: one admin at a time, its secret first, then its settings, both or none."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import GrantBusy, TransientError
from tocsin.model.account_change import change_of
from tocsin.model.audit import AuditEntry, changed_fields
from tocsin.model.mail_account_input import SECRETS
from tocsin.model.merge_patch import as_written
from tocsin.model.settings_error import InvalidSettings, NotThere, Outdated, SlugTaken, VersionNotNamed
from tocsin.model.ulid import is_ulid
from tocsin.model.version_tag import allows
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.model.account_change import AccountChange
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.mail_account_input import MailAccountInput
    from tocsin.model.permissions import Caller
    from tocsin.model.problem import Problem

_LEASE = timedelta(seconds=60)
_TRIES = 5
_PAUSE_SECONDS = 0.2  # 6 s over all tries: a renewal takes less, as a rule


class MailAccounts(Protocol):
    """Where mail accounts and their secrets are kept, read fresh."""

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account; None where there is none."""
        ...

    def is_free(self, account: MailAccount) -> bool:
        """Whether no other account of the project has this one's slug."""
        ...

    def stored_secret(self, account: MailAccount) -> AccountSecret | None:
        """What stands in its secret; None: there is none that can be read."""
        ...

    def store_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write a version of its secret, which takes effect once the account names it; the version's id."""
        ...

    def update(
        self, before: MailAccount, after: MailAccount, entry: AuditEntry, *, refresh_at: datetime | None
    ) -> None:
        """Write the next version, with what was changed in the audit.

        Raises:
            Outdated: it is not as it was in `before`.
            SlugTaken: another account has its slug.
            TransientError: the store is too busy (`ServiceBusy`: it may be written).
        """
        ...


class Leases(Protocol):
    """One worker at a time."""

    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        """Take a lease; false where another holds it."""
        ...

    def give_back(self, name: str, holder: str) -> None:
        """Give it back. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAccount:
    """The action and all that it needs. `problems` finds what a schema cannot: settings that do not go together."""

    accounts: MailAccounts
    access: Access
    leases: Leases
    problems: Callable[[MailAccount, AccountSecret | None], Sequence[Problem]]
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    pause: Callable[[float], None]
    new_holder: Callable[[], str]

    def __call__(
        self,
        caller: Caller,
        project_id: str,
        account_id: str,
        edit: Callable[[MailAccount], MailAccountInput],
        *,
        if_match: str | None,
        replaces: bool = False,
        confirm: Callable[[AccountChange], AccountChange] | None = None,
    ) -> MailAccount:
        """The account as `edit` makes it.

        `confirm` may look at the change before anything is saved, and raise; what it gives back is saved. An edit that
        `replaces` all that is there must say which version of it.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: nothing was saved.
            VersionNotNamed: `if_match` is missing where it must not.
            Outdated: it is not as `if_match` says, or was changed just now.
            GrantBusy: its grant is being renewed, or another admin changes it.
            TransientError: as `update` and `store_secret`.
        """
        self.access.let_change(caller, project_id)
        self._standing(project_id, account_id)  # so that nobody takes a lease on what is not there
        if replaces and if_match is None:
            raise VersionNotNamed("If-Match is missing")
        with self._leased(project_id, account_id):
            before = self._standing(project_id, account_id)
            if if_match is not None and not allows(if_match, before.version):
                raise Outdated("If-Match names another version")
            change = self._checked(before, edit(before))
            fields = _fields(change)
            if not fields and confirm is None:
                return before
            if confirm is not None:
                change = confirm(change)
            return self._saved(change, self._entry(caller, change, fields))

    def proposed(
        self, caller: Caller, project_id: str, account_id: str, edit: Callable[[MailAccount], MailAccountInput]
    ) -> AccountChange:
        """What the account would be as `edit` makes it; it is not saved.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: as a call.
        """
        self.access.let_change(caller, project_id)
        before = self._standing(project_id, account_id)
        return self._checked(before, edit(before))

    def _checked(self, before: MailAccount, written: MailAccountInput) -> AccountChange:
        change = change_of(before, written, lambda: self.accounts.stored_secret(before), at=self.clock())
        if problems := [*change.problems, *self.problems(change.after, change.known)]:
            raise InvalidSettings(problems)
        if not self.accounts.is_free(change.after):
            raise SlugTaken
        return change

    def _saved(self, change: AccountChange, entry: AuditEntry) -> MailAccount:
        """Write the secret, then the account: a version that no account names has no effect."""
        if change.to_store is not None:
            version = self.accounts.store_secret(change.after, change.to_store)
            after = change.after.model_copy(update={"credential_version": version})
            change = replace(change, after=after)
        try:
            refresh_at = next_visit(change.after, self.clock(), jitter=self.jitter())
            self.accounts.update(change.before, change.after, entry, refresh_at=refresh_at)
        except TransientError:
            if not self._is_saved(change.after):
                raise
        return change.after

    def _is_saved(self, after: MailAccount) -> bool:
        """Whether the account was written, and only the answer was lost. Nobody else edits it meanwhile."""
        current = self.accounts.read(after.project_id, after.id)
        return current is not None and (current.version, current.credential_version, as_written(current)) == (
            after.version,
            after.credential_version,
            as_written(after),
        )

    def _standing(self, project_id: str, account_id: str) -> MailAccount:
        account = self.accounts.read(project_id, account_id) if is_ulid(account_id) else None
        if account is None:
            raise NotThere("no such mail account")
        return account

    def _entry(self, caller: Caller, change: AccountChange, fields: tuple[str, ...]) -> AuditEntry:
        return AuditEntry(
            project_id=change.before.project_id,
            at=self.clock(),
            admin=caller.id,
            action="mail_account.changed",
            subject=change.before.id,
            fields=fields,
        )

    @contextmanager
    def _leased(self, project_id: str, account_id: str) -> Iterator[None]:
        """The lease that renewals take: they write the same secret."""
        name, holder = f"grant#{project_id}#{account_id}", self.new_holder()
        for attempt in range(_TRIES):
            if self.leases.take(name, holder, lasting=_LEASE):
                break
            self.pause(_PAUSE_SECONDS * 2**attempt * (0.5 + self.jitter() / 2))
        else:
            raise GrantBusy("another worker changes the account, or renews its grant")
        try:
            yield
        finally:
            self.leases.give_back(name, holder)


def _fields(change: AccountChange) -> tuple[str, ...]:
    """The paths of what was changed; a secret counts as soon as it is given."""
    changed = changed_fields(as_written(change.before), as_written(change.after))
    return tuple(sorted({*changed, *(".".join(SECRETS[name]) for name in change.secrets_changed)}))
