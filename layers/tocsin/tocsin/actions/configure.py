"""Create, find, read and delete mail accounts, as far as the caller may; `change_account` changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.audit import AuditEntry
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

    def delete(self, account: MailAccount, entry: AuditEntry) -> None:
        """Delete it with its secret.

        Raises:
            Outdated: it is not as it was read.
        """
        ...


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
        """Delete a mail account with its secret.

        Raises:
            NotThere, ForbiddenToChange: as `create` and `read`.
            Outdated: it is not as `if_match` says, or changes just now.
        """
        account = self.read_to_change(caller, project_id, account_id)
        if if_match is not None and not allows(if_match, account.version):
            raise Outdated("If-Match names another version")
        self.accounts.delete(account, self._entry(caller, account, "deleted"))

    def delete_some(self, caller: Caller, project_id: str, account_ids: Sequence[str]) -> list[str]:
        """Delete mail accounts as they stand; the ids of those that were there.

        Raises:
            NotThere, ForbiddenToChange: as `create`.
        """
        self.access.let_change(caller, project_id)
        return [account_id for account_id in account_ids if self._is_deleted(caller, project_id, account_id)]

    def _is_deleted(self, caller: Caller, project_id: str, account_id: str) -> bool:
        for _ in range(_TRIES):
            account = self.accounts.read(project_id, account_id) if is_ulid(account_id) else None
            if account is None:
                return False
            try:
                self.accounts.delete(account, self._entry(caller, account, "deleted"))
            except Outdated:
                continue
            return True
        raise Outdated("the mail account is changed again and again")

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


def _missing_password(account: MailAccount, secret: AccountSecret | None) -> list[Problem]:
    if account.auth.type != "password" or (secret is not None and secret.password is not None):
        return []
    return [Problem(field="auth.password", text="Type password needs a password.")]
