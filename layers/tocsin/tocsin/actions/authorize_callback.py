"""The way back from the identity provider: redeem the code, store the grant, verify the account."""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.connect_account import Disagreement
from tocsin.errors import AccountChanged, SecretUnavailable, TransientError
from tocsin.model.authorization import Outcome, Result, cookie_name, fingerprint
from tocsin.model.authorization_error import remedy_for
from tocsin.model.condition import Service
from tocsin.model.reply import Phase, Reply
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tocsin.actions.verify import Verification
    from tocsin.model.authorization import Authorization, Ticket
    from tocsin.model.identity_provider import IdentityProvider
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict

_ABANDONED_AFTER = timedelta(seconds=40)  # longer than any callback may run
_MAY_TRY_AGAIN = frozenset(
    {
        Outcome.DENIED,
        Outcome.PROVIDER_REFUSED,
        Outcome.NO_CODE,
        Outcome.SCOPE_MISSING,
        Outcome.OTHER_USER,
        Outcome.USER_NOT_NAMED,
        Outcome.NO_REFRESH_TOKEN,
        Outcome.EXCHANGE_REFUSED,
        Outcome.EXCHANGE_FAILED,
        Outcome.INTERRUPTED,
    }
)
_SAID_CHARACTERS = 500
_ROOM = timedelta(days=1)  # for clocks


class Authorizations(Protocol):
    """Where authorizations are kept, by the fingerprints of their states; every call may raise `TransientError`."""

    def read(self, fingerprint: str) -> Authorization | None:
        """The authorization as it stands."""
        ...

    def begin(
        self, fingerprint: str, authorization: Authorization, *, now: datetime, holder: str
    ) -> Authorization | None:
        """Take it for one callback, `holder`; None where another was faster."""
        ...

    def finish(self, fingerprint: str, authorization: Authorization, result: Result) -> None:
        """Keep its result."""
        ...

    def ticket(self, fingerprint: str) -> Ticket | None:
        """The ticket, if it is still there."""
        ...

    def use_ticket(self, fingerprint: str) -> None:
        """Let the ticket open nothing more."""
        ...


class Accounts(Protocol):
    """Where mail accounts are kept, read fresh."""

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account; None where there is none."""
        ...


class Connect(Protocol):
    """Redeems codes and stores grants."""

    def __call__(
        self, account: MailAccount, *, admin: str, code: str, code_verifier: str, redirect_uri: str, deadline: float
    ) -> MailAccount:
        """The account with its new grant; errors as `ConnectAccount` says."""
        ...


class Confirm(Protocol):
    """Verifies a connected account and writes what came of it."""

    def __call__(self, account: MailAccount, *, deadline: float) -> Verification:
        """What the login came to.

        Raises:
            AccountChanged: the account was changed meanwhile.
            TransientError: it could not be written.
        """
        ...


class Remedies(Protocol):
    """The table of failures."""

    def verdict(self, reply: Reply, *, auth_type: str, grant: str | None = None, service: Service) -> Verdict:
        """The class of a failed reply, and its remedy."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the browser brought back: parameters of the query, and cookies by name."""

    state: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    error_description: str | None = None
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def cookie(self) -> str:
        """The cookie that belongs to the state."""
        return self.cookies.get(cookie_name(self.state), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The result, and the ticket to try again with where that may help."""

    result: Result
    ticket: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteAuthorization:
    """The last step and all that it needs. `provider_of` is the identity provider as an account uses it."""

    authorizations: Authorizations
    accounts: Accounts
    connect: Connect
    confirm: Confirm
    provider_of: Callable[[MailAccount], IdentityProvider]
    remedies: Remedies
    redirect_uri: str
    clock: Callable[[], datetime]
    new_holder: Callable[[], str]

    def __call__(self, returned: Returned, *, deadline: float) -> Ended:
        """Complete the authorization that `returned` belongs to, by `deadline` (monotonic seconds).

        Only the browser that opened the ticket gets anywhere, once; repeating a finished callback shows its result.

        Raises:
            TransientError: nothing was used up; the same may be tried again.
        """
        known = fingerprint(returned.state)
        authorization = self.authorizations.read(known)
        if authorization is None or not _is_of_browser(authorization, returned.cookie):
            return Ended(result=Result(outcome=Outcome.STATE_INVALID))
        if authorization.result is not None:
            return _ended(authorization.result, returned)
        if (hindrance := self._hindrance(authorization)) is not None:
            return _ended(_result(authorization, hindrance), returned)
        account = self.accounts.read(authorization.project_id, authorization.mail_account_id)
        if self._is_connected_elsewhere(authorization):
            return _ended(_result(authorization, Outcome.ALREADY_CONNECTED), returned)
        begun = self.authorizations.begin(known, authorization, now=self.clock(), holder=self.new_holder())
        if begun is None:
            return _ended(_result(authorization, Outcome.IN_PROGRESS), returned)
        result = self._complete(begun, account, returned, deadline)
        self._remember(known, begun, result)
        return _ended(result, returned)

    def _remember(self, known: str, authorization: Authorization, result: Result) -> None:
        """Keep the result as well as can be: it is true whether or not it can be written."""
        with suppress(TransientError):
            self.authorizations.finish(known, authorization, result)

    def _end_ticket(self, authorization: Authorization) -> None:
        """Let no other opening of the ticket connect as well, while this one still asks the relay."""
        with suppress(TransientError):
            self.authorizations.use_ticket(authorization.ticket_fingerprint)

    def _hindrance(self, authorization: Authorization) -> Outcome | None:
        now = self.clock()
        if authorization.begun_at is not None:
            return Outcome.IN_PROGRESS if now - authorization.begun_at < _ABANDONED_AFTER else Outcome.INTERRUPTED
        return Outcome.EXPIRED if now >= authorization.expires_at else None

    def _is_connected_elsewhere(self, authorization: Authorization) -> bool:
        """Whether another opening of the same ticket has succeeded."""
        ticket = self.authorizations.ticket(authorization.ticket_fingerprint)
        return ticket is not None and ticket.is_used

    def _complete(
        self, authorization: Authorization, account: MailAccount | None, returned: Returned, deadline: float
    ) -> Result:
        if account is None:
            return _result(authorization, Outcome.ACCOUNT_DELETED)
        about = _result(authorization, Outcome.ACCOUNT_CHANGED).model_copy(
            update={"account_name": account.name, "provider": account.provider}
        )
        if account.version != authorization.account_version:
            return about
        if returned.error:
            return about.model_copy(update=self._refusal(returned.error, returned.error_description))
        if not returned.code:
            return about.model_copy(update={"outcome": Outcome.NO_CODE})
        return about.model_copy(update=self._connect(account, authorization, returned.code, deadline))

    def _connect(
        self, account: MailAccount, authorization: Authorization, code: str, deadline: float
    ) -> dict[str, object]:
        try:
            account = self.connect(
                account,
                admin=authorization.admin,
                code=code,
                code_verifier=authorization.code_verifier,
                redirect_uri=self.redirect_uri,
                deadline=deadline,
            )
        except Disagreement as disagreement:
            return {
                "outcome": disagreement.outcome,
                "expected": disagreement.expected,
                "found": disagreement.found,
            }
        except (GrantRefused, TokenEndpointFailed) as failure:
            return _failed_exchange(failure)
        except AccountChanged:
            return {"outcome": self._why_changed(account)}
        except SecretUnavailable:
            return {"outcome": self._why_changed(account, else_=Outcome.SECRET_UNAVAILABLE)}
        except TransientError:
            return {"outcome": Outcome.EXCHANGE_FAILED, "remedy_id": "busy"}
        self._end_ticket(authorization)
        return self._confirm(account, deadline)

    def _confirm(self, account: MailAccount, deadline: float) -> dict[str, object]:
        """Verify the account, whose grant is stored by now."""
        try:
            verification = self.confirm(account, deadline=deadline)
        except AccountChanged:
            return {"outcome": self._why_changed(account)}
        except TransientError:
            return _signed_in(account) | {"outcome": Outcome.UNCONFIRMED}
        return _verified(account, verification, self.provider_of(account))

    def _refusal(self, error: str, description: str | None) -> dict[str, object]:
        """What an `error=` means: in Microsoft's words by its number, else by the error's own name."""
        said = f"{error}: {description}" if description else error
        found: dict[str, object] = {
            "outcome": Outcome.DENIED if error == "access_denied" else Outcome.PROVIDER_REFUSED,
            "said": said[:_SAID_CHARACTERS],
            "remedy": remedy_for(error),
        }
        if "AADSTS" not in said:
            return found
        reply = Reply(phase=Phase.AUTH, code=400, text=said)
        verdict = self.remedies.verdict(
            reply, auth_type="oauth2", grant="authorization_code", service=Service.MICROSOFT_TOKEN
        )
        return found | {"remedy": verdict.remedy, "remedy_id": verdict.remedy_id}

    def _why_changed(self, account: MailAccount, *, else_: Outcome = Outcome.ACCOUNT_CHANGED) -> Outcome:
        with suppress(TransientError):
            if self.accounts.read(account.project_id, account.id) is None:
                return Outcome.ACCOUNT_DELETED
        return else_


def _is_of_browser(authorization: Authorization, cookie: str) -> bool:
    return hmac.compare_digest(fingerprint(cookie), authorization.cookie_fingerprint)


def _ended(result: Result, returned: Returned) -> Ended:
    ticket = returned.cookie.partition(".")[2] if result.outcome in _MAY_TRY_AGAIN else ""
    return Ended(result=result, ticket=ticket or None)


def _result(authorization: Authorization, outcome: Outcome) -> Result:
    return Result(
        outcome=outcome,
        project_id=authorization.project_id,
        mail_account_id=authorization.mail_account_id,
        return_path=authorization.return_path,
    )


def _failed_exchange(failure: GrantRefused | TokenEndpointFailed) -> dict[str, object]:
    """A transient failure's remedy speaks of renewals, which try again on their own: a code cannot."""
    refused = isinstance(failure, GrantRefused)
    return {
        "outcome": Outcome.EXCHANGE_REFUSED if refused else Outcome.EXCHANGE_FAILED,
        "said": failure.reply.text[:_SAID_CHARACTERS],
        "remedy": failure.verdict.remedy if refused else None,
        "remedy_id": failure.verdict.remedy_id,
    }


def _signed_in(account: MailAccount) -> dict[str, object]:
    found = account.grant.identity if account.grant is not None else None
    return {"found": found, "expected": account.auth.username}


def _verified(account: MailAccount, verification: Verification, provider: IdentityProvider) -> dict[str, object]:
    known = _signed_in(account)
    if verification.verdict is None:
        return known | {"outcome": Outcome.VERIFIED, "remedy": _if_it_ends_soon(account, provider.testing_life)}
    return known | {
        "outcome": Outcome.NOT_VERIFIED,
        "said": _words(verification)[:_SAID_CHARACTERS],
        "remedy": verification.verdict.remedy,
        "remedy_id": verification.verdict.remedy_id,
    }


def _if_it_ends_soon(account: MailAccount, testing_life: timedelta | None) -> str | None:
    """What to do about a permission that was given to an application in testing: Google's way, and nobody else's."""
    grant = account.grant
    if testing_life is None or grant is None or grant.refresh_token_expires_at is None or grant.consented_at is None:
        return None
    if grant.refresh_token_expires_at - grant.consented_at > testing_life + _ROOM:
        return None
    return (
        f"This permission ends on {grant.refresh_token_expires_at:%d %B %Y}. Google limits it to {testing_life.days} "
        "days while the consent screen is in testing: publish the application or make it internal, then authorize "
        "again."
    )


def _words(verification: Verification) -> str:
    reply = verification.reply
    return " ".join(part for part in (str(reply.code or ""), reply.enhanced or "", reply.text) if part)
