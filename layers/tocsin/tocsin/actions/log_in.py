"""What an account logs in with: its secret, with a token that lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import AccountChanged, GrantBusy, SecretUnavailable
from tocsin.model.credential import Credential
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.credential import AccountSecret
    from tocsin.model.identity_provider import IdentityProvider
    from tocsin.model.mail_account import MailAccount


class Secrets(Protocol):
    """Where the secrets of mail accounts are kept."""

    def secret(self, account: MailAccount) -> AccountSecret:
        """The secret at the account's credential version.

        Raises:
            SecretUnavailable: only an admin can help.
            TransientError: it may be read later.
        """
        ...


class Renewal(Protocol):
    """Renews grants."""

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """The account with a token that lasts; errors as `RenewGrant` says."""
        ...

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """Park the account, whose relay refused a token that was just renewed."""
        ...


class NoCredential(Exception):
    """The account has nothing to log in with. `verdict` None: the table of remedies says what the reply means."""

    def __init__(self, reply: Reply, verdict: Verdict | None = None) -> None:
        super().__init__(reply.text)
        self.reply = reply
        self.verdict = verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Finds credentials, and renews those that lapse or were refused."""

    secrets: Secrets
    renew: Renewal
    clock: Callable[[], datetime]

    def credential(self, account: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential | None]:
        """The account as it is now, and what it logs in with; None where it logs in as nobody.

        `deadline` (monotonic seconds) ends a request for tokens.

        Raises:
            NoCredential: it cannot log in now.
            TransientError: the secret may be read later.
        """
        if logs_in_as_nobody(account):
            return account, None
        if account.auth.type == "oauth2" and account.auth.oauth2 is not None and _lapses_soon(account, self.clock()):
            account = self._renewed(account, deadline)
        return account, self._read(account)

    def credential_after_refusal(self, account: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential]:
        """The account with another token than the one that its relay has just refused.

        Raises:
            NoCredential: there is none.
            TransientError: the secret may be read later.
        """
        try:
            account = self.renew(
                account.project_id, account.id, refused_version=account.credential_version, deadline=deadline
            )
        except (TokenEndpointFailed, GrantRefused) as failure:
            raise NoCredential(failure.reply, failure.verdict) from failure
        except SecretUnavailable as error:
            raise NoCredential(_own("secret_missing")) from error
        except (GrantBusy, AccountChanged) as error:
            raise NoCredential(_RENEWING, _BUSY) from error
        return account, self._read(account)

    def _renewed(self, account: MailAccount, deadline: float) -> MailAccount:
        """The account renewed; or as it was, where its token still lasts for this invocation."""
        try:
            return self.renew(account.project_id, account.id, deadline=deadline)
        except GrantRefused as refusal:
            raise NoCredential(refusal.reply, refusal.verdict) from refusal
        except SecretUnavailable as error:
            raise NoCredential(_own("secret_missing")) from error
        except TokenEndpointFailed as failure:
            if self._still_lasts(account):
                return account
            raise NoCredential(failure.reply, failure.verdict) from failure
        except (GrantBusy, AccountChanged) as error:
            if self._still_lasts(account):
                return account
            raise NoCredential(_RENEWING, _BUSY) from error

    def _still_lasts(self, account: MailAccount) -> bool:
        expires_at = account.grant.access_token_expires_at if account.grant is not None else None
        return expires_at is not None and expires_at > self.clock()

    def _read(self, account: MailAccount) -> Credential:
        version = account.credential_version
        if version is None:
            raise NoCredential(_own("secret_missing"))
        try:
            secret = self.secrets.secret(account)
        except SecretUnavailable as error:
            raise NoCredential(_own("secret_missing")) from error
        return credential_from(account, secret, version=version)


def credential_from(account: MailAccount, secret: AccountSecret, *, version: str) -> Credential:
    """What the account logs in with, out of its secret of `version`.

    Raises:
        NoCredential: the secret was saved for something else, has nothing for this login, or may not go there.
    """
    if not account.may_use(secret):
        raise NoCredential(_own("secret_not_for_this_relay"))
    password = secret.password if account.auth.type == "password" else None
    token = secret.access_token if account.auth.type == "oauth2" else None
    if account.auth.type == "password" and password is None:
        raise NoCredential(_own("secret_missing"))
    if account.auth.type == "oauth2" and token is None:
        raise NoCredential(_own("token_missing"))
    if token is not None and not _may_see_token(account):
        raise NoCredential(_own("token_not_for_this_relay"))
    return Credential(
        version=version,
        username=account.username,
        password=password.get_secret_value() if password is not None else None,
        token=token.get_secret_value() if token is not None else None,
        mechanism=_mechanism(account) if token is not None else None,
        proxy_password=secret.proxy_password.get_secret_value() if secret.proxy_password is not None else None,
    )


def _lapses_soon(account: MailAccount, now: datetime) -> bool:
    return account.grant is None or account.grant.lapses_soon(now)


def logs_in_as_nobody(account: MailAccount) -> bool:
    """Whether neither the relay nor a proxy on the way to it wants to know who we are."""
    proxy = account.relay.proxy
    return account.auth.type == "none" and (proxy is None or proxy.username is None)


def _mechanism(account: MailAccount) -> str | None:
    """The SASL mechanism that the identity provider's tokens want; None: whichever the relay offers."""
    return _identity_provider(account).mechanism if account.auth.oauth2 is not None else None


def _may_see_token(account: MailAccount) -> bool:
    """Whether the relay is one that the identity provider's tokens may go to."""
    if account.auth.oauth2 is None:
        return True
    from tocsin.model.identity_provider import UnusableOAuth2  # noqa: PLC0415  (most accounts log in by password)

    try:
        return _identity_provider(account).may_see_token(account.relay.host)
    except UnusableOAuth2:
        return False


def _identity_provider(account: MailAccount) -> IdentityProvider:
    from tocsin.data.identity_providers import identity_provider_for  # noqa: PLC0415  (as above)

    return identity_provider_for(account)


def _own(code: str) -> Reply:
    return Reply(phase=Phase.SETTINGS, code=None, text=code)


_RENEWING = _own("grant_busy")
_BUSY = Verdict(
    failure_class=FailureClass.AUTH_TRANSIENT,
    remedy_id="grant_busy",
    remedy="The account's token is being renewed. The mail is submitted shortly, without your help.",
)
