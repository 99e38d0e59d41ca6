"""Create, find, read and delete mail accounts, as far as the caller may; `change_account` changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import TransientError
from tocsin.model.audit import AuditEntry, changed_fields
from tocsin.model.mail_account_view import status_of
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings, NotThere, Outdated, SlugTaken
from tocsin.model.ulid import RANDOM_OCTETS, is_ulid, ulid
from tocsin.model.version_tag import allows
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tocsin.actions.access import Access
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.mail_account_input import MailAccountInput
    from tocsin.model.mail_account_view import Status
    from tocsin.model.permissions import Caller
    from tocsin.model.project import Project

_READ_AT_ONCE = 100
_TRIES = 3


class MailAccounts(Protocol):
    """Where mail accounts are kept, read fresh."""

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account; None where there is none."""
        ...

    def page(self, project_id: str, *, after: str | None, size: int) -> tuple[list[MailAccount], str | None]:
        """Some of them, in order, behind the id `after`; and the id behind which the list goes on, if it does."""
        ...

    def is_free(self, account: MailAccount) -> bool:
        """Whether no other account of the project has this one's slug."""
        ...

    def create(
        self, account: MailAccount, secret: AccountSecret | None, entry: AuditEntry, *, refresh_at: datetime | None
    ) -> MailAccount:
        """Write a new one with its secret.

        Raises:
            NotThere: its project was deleted.
            SlugTaken: another account has its slug.
        """
        ...

    def delete(
        self, account: MailAccount, entries: Sequence[AuditEntry], *, project: tuple[Project, Project] | None
    ) -> None:
        """Delete it with its secret, and write its project: as it was read, and as it is to be, if that is another.

        Raises:
            Outdated: one of the two is not as it was read.
            TransientError: the store is too busy (`ServiceBusy`: it may be deleted).
        """
        ...


class Projects(Protocol):
    """Where projects are read."""

    def read(self, project_id: str) -> Project | None:
        """The project as it stands; None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What came of deleting several accounts. `left` may still be there: a store was busy, or others change them."""

    deleted: tuple[str, ...]
    not_there: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which mail accounts are looked for. `text` stands in the name, the slug or the provider, in any case."""

    text: str | None = None
    provider: str | None = None
    status: Status | None = None

    def finds(self, account: MailAccount) -> bool:
        """Whether the account is one of them."""
        if self.provider is not None and account.provider != self.provider:
            return False
        if self.status is not None and status_of(account) != self.status:
            return False
        shown = "\n".join((account.name, account.slug or "", account.provider)).casefold()
        return self.text is None or self.text.casefold() in shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """The action and all that it needs. `problems` finds what a schema cannot: settings that do not go together."""

    accounts: MailAccounts
    projects: Projects
    access: Access
    problems: Callable[[MailAccount, AccountSecret | None], Sequence[Problem]]
    clock: Callable[[], datetime]
    random_octets: Callable[[int], bytes]

    def create(
        self,
        caller: Caller,
        project_id: str,
        written: MailAccountInput,
        *,
        confirm: Callable[[MailAccount, AccountSecret | None], tuple[MailAccount, AccountSecret | None]] | None = None,
    ) -> MailAccount:
        """Save a new mail account; a grant that needs no browser is due at once.

        `confirm` may look at it before it is saved, and raise; what it gives back is saved.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: nothing was saved.
        """
        account, secret = self.proposed(caller, project_id, written)
        if not self.accounts.is_free(account):
            raise SlugTaken
        if confirm is not None:
            account, secret = confirm(account, secret)
        refresh_at = next_visit(account, self.clock(), jitter=0.0)
        return self.accounts.create(account, secret, self._entry(caller, account, "created"), refresh_at=refresh_at)

    def proposed(
        self, caller: Caller, project_id: str, written: MailAccountInput
    ) -> tuple[MailAccount, AccountSecret | None]:
        """The account that `written` would be, with its secret; it is not saved.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: as `create`.
        """
        self.access.let_change(caller, project_id)
        now = self.clock()
        account = written.account(project_id, ulid(now, self.random_octets(RANDOM_OCTETS)), at=now)
        secret = written.secret(account)
        if problems := [*_missing_password(account, secret), *self.problems(account, secret)]:
            raise InvalidSettings(problems)
        return account, secret

    def page(
        self, caller: Caller, project_id: str, search: Search, *, after: str | None, size: int
    ) -> tuple[list[MailAccount], str | None]:
        """At most `size` of the mail accounts that are looked for, and the id behind which there may be more.

        Raises:
            NotThere: the project is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        accounts, last = self.accounts.page(project_id, after=after, size=_READ_AT_ONCE)
        found = [account for account in accounts if search.finds(account)]
        while len(found) < size and last is not None:
            accounts, last = self.accounts.page(project_id, after=last, size=_READ_AT_ONCE)
            found += (account for account in accounts if search.finds(account))
        return found[:size], found[size - 1].id if len(found) > size else last

    def read(self, caller: Caller, project_id: str, account_id: str) -> MailAccount:
        """One mail account.

        Raises:
            NotThere: it, or its project, is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        return self._account(project_id, account_id)

    def read_to_change(self, caller: Caller, project_id: str, account_id: str) -> MailAccount:
        """One mail account, for a caller who may change it.

        Raises:
            NotThere, ForbiddenToChange: as `create` and `read`.
        """
        self.access.let_change(caller, project_id)
        return self._account(project_id, account_id)

    def delete(self, caller: Caller, project_id: str, account_id: str, *, if_match: str | None) -> None:
        """Delete a mail account with its secret; the project's routes and default name it no more.

        Raises:
            NotThere, ForbiddenToChange: as `create` and `read`.
            Outdated: it is not as `if_match` says, or is changed again and again.
            TransientError: as `MailAccounts.delete`.
        """
        self.access.let_change(caller, project_id)
        self._delete(caller, project_id, account_id, if_match=if_match)

    def delete_some(self, caller: Caller, project_id: str, account_ids: Sequence[str]) -> Deleted:
        """Delete mail accounts as they stand. Where a store is busy, the rest is left.

        Raises:
            NotThere, ForbiddenToChange: as `create`.
            TransientError: nothing was deleted yet when a store was busy (`ServiceBusy`: the first may be).
        """
        self.access.let_change(caller, project_id)
        deleted, not_there, left = list[str](), list[str](), list[str]()
        for number, account_id in enumerate(account_ids):
            try:
                self._delete(caller, project_id, account_id, if_match=None)
            except NotThere:
                not_there.append(account_id)
            except Outdated:
                left.append(account_id)
            except TransientError:
                if not deleted:
                    raise
                left += account_ids[number:]
                break
            else:
                deleted.append(account_id)
        return Deleted(deleted=tuple(deleted), not_there=tuple(not_there), left=tuple(left))

    def _delete(self, caller: Caller, project_id: str, account_id: str, *, if_match: str | None) -> None:
        for _ in range(_TRIES):
            account = self._account(project_id, account_id)
            if if_match is not None and not allows(if_match, account.version):
                raise Outdated("If-Match names another version")
            project = self._without(account)
            entries = [self._entry(caller, account, "deleted")]
            if project is not None and project[0] != project[1]:
                entries.append(self._entry_of_project(caller, *project))
            try:
                self.accounts.delete(account, entries, project=project)
            except Outdated:
                continue
            return
        raise Outdated("the mail account, or the project, is changed again and again")

    def _without(self, account: MailAccount) -> tuple[Project, Project] | None:
        """The account's project as it stands, and as it is without the account; None: there is none."""
        project = self.projects.read(account.project_id)
        if project is None:
            return None
        return project, project.without(account.id) if account.id in project.named_accounts else project

    def _account(self, project_id: str, account_id: str) -> MailAccount:
        account = self.accounts.read(project_id, account_id) if is_ulid(account_id) else None
        if account is None:
            raise NotThere("no such mail account")
        return account

    def _entry(self, caller: Caller, account: MailAccount, what: str) -> AuditEntry:
        return AuditEntry(
            project_id=account.project_id,
            at=self.clock(),
            admin=caller.id,
            action=f"mail_account.{what}",
            subject=account.id,
        )

    def _entry_of_project(self, caller: Caller, before: Project, after: Project) -> AuditEntry:
        return AuditEntry(
            project_id=before.project_id,
            at=self.clock(),
            admin=caller.id,
            action="project.changed",
            subject=before.project_id,
            fields=changed_fields(before.decided, after.decided),
        )


def _missing_password(account: MailAccount, secret: AccountSecret | None) -> list[Problem]:
    if account.auth.type != "password" or (secret is not None and secret.password is not None):
        return []
    return [Problem(field="auth.password", text="Type password needs a password.")]
