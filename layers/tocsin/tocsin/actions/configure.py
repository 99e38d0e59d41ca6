"""Create, read and delete mail accounts, as far as the caller may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.data.presets import filled
from tocsin.model.identity_provider import Problem
from tocsin.model.mail_account_input import MailAccountInput
from tocsin.model.mail_account_view import etag
from tocsin.model.settings_error import ForbiddenToChange, InvalidSettings, NotThere, Outdated
from tocsin.model.ulid import RANDOM_OCTETS, is_ulid, ulid
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.permissions import Permissions

PAGE_SIZE = 100
_BAD_CURSOR = Problem(field="cursor", text="it is not one that a list has given")


class MailAccounts(Protocol):
    """Where mail accounts are kept, read fresh."""

    def has_project(self, project_id: str) -> bool:
        """Whether there is such a project."""
        ...

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account; None where there is none."""
        ...

    def page(self, project_id: str, *, after: str | None, size: int) -> list[MailAccount]:
        """Some of them, in order, behind the id `after`."""
        ...

    def create(self, account: MailAccount, secret: AccountSecret | None, *, refresh_at: datetime | None) -> MailAccount:
        """Write a new one with its secret."""
        ...

    def delete(self, account: MailAccount) -> None:
        """Delete it with its secret.

        Raises:
            Outdated: it is not as it was read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """The action and all that it needs. `problems` finds what a schema cannot: settings that do not go together."""

    accounts: MailAccounts
    problems: Callable[[MailAccount, AccountSecret | None], Sequence[Problem]]
    clock: Callable[[], datetime]
    random_octets: Callable[[int], bytes]

    def create(self, caller: Permissions, project_id: str, body: str) -> MailAccount:
        """Save a new mail account; a grant that needs no browser is due at once.

        Raises:
            NotThere, ForbiddenToChange, InvalidSettings: nothing was saved.
        """
        self._let_change(caller, project_id)
        written, now = filled(MailAccountInput.read(body)), self.clock()
        account = written.account(project_id, ulid(now, self.random_octets(RANDOM_OCTETS)), at=now)
        secret = written.secret(account)
        if problems := self.problems(account, secret):
            raise InvalidSettings(problems)
        return self.accounts.create(account, secret, refresh_at=next_visit(account, now, jitter=0.0))

    def page(self, caller: Permissions, project_id: str, *, after: str | None) -> list[MailAccount]:
        """At most `PAGE_SIZE` mail accounts behind the id `after`.

        Raises:
            NotThere: the project is not, or is not for this caller.
            InvalidSettings: `after` is no id.
        """
        self._let_read(caller, project_id)
        if after is not None and not is_ulid(after):
            raise InvalidSettings([_BAD_CURSOR])
        return self.accounts.page(project_id, after=after, size=PAGE_SIZE)

    def read(self, caller: Permissions, project_id: str, account_id: str) -> MailAccount:
        """One mail account.

        Raises:
            NotThere: it, or its project, is not, or is not for this caller.
        """
        self._let_read(caller, project_id)
        return self._account(project_id, account_id)

    def read_to_change(self, caller: Permissions, project_id: str, account_id: str) -> MailAccount:
        """One mail account, for a caller who may change it.

        Raises:
            NotThere, ForbiddenToChange: as `create` and `read`.
        """
        self._let_change(caller, project_id)
        return self._account(project_id, account_id)

    def delete(self, caller: Permissions, project_id: str, account_id: str, *, if_match: str | None) -> None:
        """Delete a mail account with its secret.

        Raises:
            NotThere, ForbiddenToChange: as `create` and `read`.
            Outdated: it is not as `if_match` says, or changes just now.
        """
        account = self.read_to_change(caller, project_id, account_id)
        if if_match is not None and not _names(if_match, etag(account)):
            raise Outdated("If-Match names another version")
        self.accounts.delete(account)

    def _let_read(self, caller: Permissions, project_id: str) -> None:
        if not caller.may_read(project_id) or not self.accounts.has_project(project_id):
            raise NotThere("no such project")

    def _let_change(self, caller: Permissions, project_id: str) -> None:
        self._let_read(caller, project_id)
        if not caller.may_change(project_id):
            raise ForbiddenToChange("the caller may only read")

    def _account(self, project_id: str, account_id: str) -> MailAccount:
        account = self.accounts.read(project_id, account_id)
        if account is None:
            raise NotThere("no such mail account")
        return account


def _names(if_match: str, tag: str) -> bool:
    return if_match.strip() == "*" or tag in {one.strip() for one in if_match.split(",")}
