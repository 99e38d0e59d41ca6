"""What those who obtain, renew and judge grants need of the world: accounts, leases, tokens, and who must be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import Tokens
    from tocsin.model.mail_account import MailAccount


class Grants(Protocol):
    """Mail accounts with their secrets, never cached."""

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account as it stands now."""
        ...

    def current_secret(self, account: MailAccount) -> AccountSecret:
        """The newest version of its secret.

        Raises:
            SecretUnavailable: only an admin can help.
            TransientError: it may be read later.
        """
        ...

    def put_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write a version of the secret; its id. Repeating it is no error."""
        ...

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        """Write what we found out.

        Raises:
            AccountChanged: the account is not as it was in `before`.
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


class TokenSource(Protocol):
    """The identity providers."""

    def renew(
        self, account: MailAccount, secret: AccountSecret, *, now: datetime, deadline: float | None = None
    ) -> Tokens:
        """New tokens by the account's grant, by `deadline` (monotonic seconds) at the latest.

        Raises:
            TokenEndpointFailed: ask again later.
            GrantRefused: only an admin can help.
        """
        ...


class AccountBus(Protocol):
    """Where events about mail accounts go."""

    def account_changed(self, event: str, account: MailAccount) -> None:
        """Publish `mail_account.<event>`. Never raises."""
        ...


class Admins(Protocol):
    """The people who look after a project."""

    def grant_lost(self, account: MailAccount) -> None:
        """Tell them that the account needs a new authorization, through a route that still works. Never raises."""
        ...
