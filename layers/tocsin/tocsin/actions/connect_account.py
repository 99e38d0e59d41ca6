"""Connect a mail account: redeem an authorization code, compare what came with what was meant, store the grant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import AccountChanged, GrantBusy, PermanentError, SecretUnavailable, TransientError
from tocsin.model.audit import AuditEntry
from tocsin.model.authorization import Outcome
from tocsin.model.grant import GrantState, missing_scopes
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tocsin.actions.grant_ports import Grants, Leases
    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import Tokens
    from tocsin.model.identity_provider import IdentityProvider
    from tocsin.model.mail_account import MailAccount

_LEASE = timedelta(seconds=60)
_TRIES = 4
_PAUSE_SECONDS = 0.2  # 3 s over all tries
_STORING_SECONDS = 4.0  # kept of the time there is: tokens that were given are to be stored


class Disagreement(PermanentError):
    """The code gave something else than what was meant; nothing is stored."""

    def __init__(self, outcome: Outcome, *, expected: str | None = None, found: str | None = None) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.expected = expected
        self.found = found


class Providers(Protocol):
    """The identity providers."""

    def redeem(
        self,
        account: MailAccount,
        secret: AccountSecret,
        *,
        code: str,
        code_verifier: str,
        redirect_uri: str,
        now: datetime,
        deadline: float,
    ) -> Tokens:
        """The tokens for a code, by `deadline` (monotonic seconds).

        Raises:
            TokenEndpointFailed: it cannot answer now.
            GrantRefused: it refuses the code or the client.
        """
        ...

    def identity(self, account: MailAccount, tokens: Tokens, *, deadline: float) -> str | None:
        """Who signed in, by the back channel; None where the provider does not tell."""
        ...


class Consents(Protocol):
    """Where it is kept what somebody consented to, and who."""

    def store(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None, entry: AuditEntry) -> None:
        """Write the account and who consented.

        Raises:
            AccountChanged: the account is not as it was in `before`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectAccount:
    """The action and all that it needs. `provider_of` is the identity provider as an account uses it."""

    grants: Grants
    consents: Consents
    leases: Leases
    providers: Providers
    provider_of: Callable[[MailAccount], IdentityProvider]
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    pause: Callable[[float], None]
    new_holder: Callable[[], str]

    def __call__(
        self, account: MailAccount, *, admin: str, code: str, code_verifier: str, redirect_uri: str, deadline: float
    ) -> MailAccount:
        """The account with its new grant, not verified yet. `admin` is the id of whoever consents.

        Raises:
            Disagreement: not what was meant.
            TokenEndpointFailed, GrantRefused: the code gave no tokens.
            AccountChanged: the account was edited or deleted meanwhile.
            SecretUnavailable: its secret is not there to be written.
            TransientError: we could not store the grant.
        """
        name, holder = f"grant#{account.project_id}#{account.id}", self.new_holder()
        self._take(name, holder)
        try:
            secret = self.grants.current_secret(account)
            tokens = self.providers.redeem(
                account,
                secret,
                code=code,
                code_verifier=code_verifier,
                redirect_uri=redirect_uri,
                now=self.clock(),
                deadline=deadline - _STORING_SECONDS,
            )
            identity = tokens.identity or self.providers.identity(account, tokens, deadline=deadline - _STORING_SECONDS)
            self._compare(account, tokens, identity)
            return self._store(account, tokens, identity, admin)
        finally:
            self.leases.give_back(name, holder)

    def _take(self, name: str, holder: str) -> None:
        for pause in self._pauses():
            if self.leases.take(name, holder, lasting=_LEASE):
                return
            self.pause(pause)
        raise GrantBusy("another worker is renewing the grant")

    def _compare(self, account: MailAccount, tokens: Tokens, identity: str | None) -> None:
        provider, expected = self.provider_of(account), account.username
        if missing := missing_scopes(provider.scopes, tokens.scopes):
            raise Disagreement(Outcome.SCOPE_MISSING, expected=" ".join(missing))
        if identity is None and provider.names_users:
            raise Disagreement(Outcome.USER_NOT_NAMED, expected=expected)
        if identity is not None and identity.casefold() != expected.casefold():
            raise Disagreement(Outcome.OTHER_USER, expected=expected, found=identity)
        if tokens.refresh_token is None:
            raise Disagreement(Outcome.NO_REFRESH_TOKEN)

    def _store(self, seen: MailAccount, tokens: Tokens, identity: str | None, admin: str) -> MailAccount:
        """Write the tokens, then the account: both only if its settings are still those that were authorized."""
        account, now = self.grants.read(seen.project_id, seen.id), self.clock()
        if account is None or account.version != seen.version:
            raise AccountChanged("the mail account was edited or deleted during the redirect")
        secret = self.grants.current_secret(account)
        before = account.grant or GrantState()
        state = GrantState(
            version=max(before.version, secret.grant_version),
            scopes=self.provider_of(account).scopes,
            identity=identity,
            consented_at=now,
            warned_days=before.warned_days,
            warned_end=before.warned_end,
        ).renewed(tokens, now)
        secret = secret.with_tokens(tokens, grant_version=state.version, account_version=account.version)
        after = account.model_copy(
            update={
                "credential_version": self._put(account, secret),
                "status": "not_verified",
                "verified_at": None,
                "last_error": None,
                "grant": state,
            }
        )
        refresh_at = next_visit(after, now, jitter=self.jitter())
        self.consents.store(account, after, refresh_at=refresh_at, entry=_entry(after, admin, now))
        return after

    def _put(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write the secret, again while Secrets Manager is busy: the code cannot be redeemed twice."""
        for pause in self._pauses():
            try:
                return self.grants.put_secret(account, secret)
            except (SecretUnavailable, AccountChanged):
                raise
            except TransientError:
                self.pause(pause)
        return self.grants.put_secret(account, secret)

    def _pauses(self) -> Iterator[float]:
        return (_PAUSE_SECONDS * 2**attempt * (0.5 + self.jitter() / 2) for attempt in range(_TRIES))


def _entry(account: MailAccount, admin: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        project_id=account.project_id,
        at=now,
        admin=admin,
        action="mail_account.consented",
        subject=account.id,
        fields=("grant",),
    )
