"""The way to the identity provider: an admin gets a ticket, and a browser opens it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from tocsin.model.authorization import Authorization, Outcome, Result, Ticket, cookie_name, fingerprint
from tocsin.model.grant import GrantType
from tocsin.model.settings_error import NothingToAuthorize
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount

LASTING = timedelta(minutes=10)


class Authorizations(Protocol):
    """Where tickets and authorizations are kept, by the fingerprints of their values."""

    def add_ticket(self, fingerprint: str, ticket: Ticket) -> None:
        """Keep a new ticket."""
        ...

    def ticket(self, fingerprint: str) -> Ticket | None:
        """The ticket, if there is one."""
        ...

    def add(self, fingerprint: str, authorization: Authorization) -> None:
        """Keep a new authorization."""
        ...


class Accounts(Protocol):
    """Where mail accounts are kept, read fresh."""

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account; None where there is none."""
        ...


class Providers(Protocol):
    """The identity providers."""

    def authorization_url(
        self, account: MailAccount, *, redirect_uri: str, state: str, code_challenge: str, login_hint: str | None = None
    ) -> str:
        """Where the browser goes to sign in.

        Raises:
            GrantRefused: the account's settings name no such place.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedTicket:
    """A ticket as the admin gets it, in an address to open."""

    authorize_url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where the browser goes, and the cookie that it must bring back."""

    location: str = field(repr=False)
    cookie_name: str
    cookie_value: str = field(repr=False)
    lasting: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTicket:
    """The first step. `new_value` gives text of at least 128 random bits, safe in an address."""

    authorizations: Authorizations
    base_url: str
    new_value: Callable[[], str]
    clock: Callable[[], datetime]

    def __call__(self, account: MailAccount, *, admin: str, return_path: str | None) -> IssuedTicket:
        """A ticket for the account as it is now.

        Raises:
            NothingToAuthorize: nobody has to sign in for this account.
        """
        oauth2 = account.auth.oauth2
        if oauth2 is None or oauth2.grant is not GrantType.AUTHORIZATION_CODE:
            raise NothingToAuthorize("the mail account's grant is not authorization_code")
        value, expires_at = self.new_value(), self.clock() + LASTING
        ticket = Ticket(
            project_id=account.project_id,
            mail_account_id=account.id,
            account_version=account.version,
            admin=admin,
            return_path=return_path,
            expires_at=expires_at,
        )
        self.authorizations.add_ticket(fingerprint(value), ticket)
        return IssuedTicket(authorize_url=f"{self.base_url}/authorize/{value}", expires_at=expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """The second step, which may be repeated: each opening is an authorization of its own."""

    authorizations: Authorizations
    accounts: Accounts
    providers: Providers
    redirect_uri: str
    new_value: Callable[[], str]
    clock: Callable[[], datetime]

    def __call__(self, value: str) -> Opened | Result:
        """Where to go with the ticket `value`; or why it leads nowhere."""
        known, now = fingerprint(value), self.clock()
        ticket = self.authorizations.ticket(known)
        if ticket is None or ticket.is_used or now >= ticket.expires_at:
            return Result(outcome=Outcome.TICKET_INVALID)
        account = self.accounts.read(ticket.project_id, ticket.mail_account_id)
        if account is None or account.version != ticket.account_version:
            return _changed(ticket, account)
        state, verifier = self.new_value(), self.new_value()
        cookie = f"{self.new_value()}.{value}"
        try:
            location = self._location(account, state, verifier)
        except (GrantRefused, TokenEndpointFailed) as failure:
            return _no_way(ticket, account, failure)
        self.authorizations.add(
            fingerprint(state),
            Authorization(
                **ticket.model_dump(exclude={"is_used", "expires_at"}),
                ticket_fingerprint=known,
                cookie_fingerprint=fingerprint(cookie),
                code_verifier=verifier,
                expires_at=now + LASTING,
            ),
        )
        return Opened(location=location, cookie_name=cookie_name(state), cookie_value=cookie, lasting=2 * LASTING)

    def _location(self, account: MailAccount, state: str, verifier: str) -> str:
        return self.providers.authorization_url(
            account,
            redirect_uri=self.redirect_uri,
            state=state,
            code_challenge=challenge_of(verifier),
            login_hint=account.auth.username,
        )


def challenge_of(verifier: str) -> str:
    """The S256 code challenge (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _changed(ticket: Ticket, account: MailAccount | None) -> Result:
    return Result(
        outcome=Outcome.ACCOUNT_DELETED if account is None else Outcome.ACCOUNT_CHANGED,
        project_id=ticket.project_id,
        mail_account_id=ticket.mail_account_id,
        account_name=account.name if account is not None else None,
        return_path=ticket.return_path,
    )


def _no_way(ticket: Ticket, account: MailAccount, failure: GrantRefused | TokenEndpointFailed) -> Result:
    return Result(
        outcome=Outcome.PROVIDER_REFUSED,
        project_id=ticket.project_id,
        mail_account_id=ticket.mail_account_id,
        account_name=account.name,
        provider=account.provider,
        said=failure.reply.text,
        remedy=failure.verdict.remedy,
        remedy_id=failure.verdict.remedy_id,
        return_path=ticket.return_path,
    )
