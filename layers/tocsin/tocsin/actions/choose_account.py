"""Choose the mail account that carries a notification, with its credential, or say why none can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import SecretUnavailable
from tocsin.model.address import BadAddress
from tocsin.model.credential import Credential
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import route_of
from tocsin.model.route import FallbackPolicy, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.project import ProjectSettings


class Secrets(Protocol):
    """Where the secrets of mail accounts are kept."""

    def secret(self, account: MailAccount) -> AccountSecret:
        """The secret at the account's credential version.

        Raises:
            SecretUnavailable: only an admin can help.
            TransientError: it may be read later.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """An account that may send now. `credential` is None where the account logs in as nobody."""

    account: MailAccount
    credential: Credential | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """No account may send: the obstacle of the first choice, as a reply of our own."""

    mail_account_id: str | None
    reply: Reply


def choose_account(notification: Notification, settings: ProjectSettings, secrets: Secrets) -> Usable | Unusable:
    """The first account of the notification's route that can send, as far as the project allows fall-back."""
    first: Unusable | None = None
    for account in _candidates(notification, settings):
        try:
            return Usable(account=account, credential=_credential(account, route_of(notification), secrets))
        except _Obstacle as obstacle:
            first = first or Unusable(mail_account_id=account.id, reply=_own_reply(str(obstacle)))
    missing = "no_route" if notification.data.options.mail_account_id is None else "mail_account_not_found"
    return first or Unusable(mail_account_id=None, reply=_own_reply(missing))


class _Obstacle(Exception):
    """Why an account cannot send: the code of a row of `data/remedies.toml`."""


def _candidates(notification: Notification, settings: ProjectSettings) -> Iterator[MailAccount]:
    named = notification.data.options.mail_account_id
    if named is not None:
        yield from (account for account in settings.mail_accounts.values() if account.id == named)
        return
    accounts = settings.accounts_for(route_of(notification))
    yield from accounts if settings.project.fallback_policy is not FallbackPolicy.NONE else accounts[:1]


def _credential(account: MailAccount, route: Route, secrets: Secrets) -> Credential | None:
    if not account.enabled or account.status == "disabled":
        raise _Obstacle("account_disabled")
    if account.paused:
        raise _Obstacle("account_paused")
    if account.status == "reauthorization_required":
        raise _Obstacle("reauthorization_required")
    if account.transport != "smtp":
        raise _Obstacle("transport_not_available")
    if route not in account.use_for:
        raise _Obstacle("account_not_for_route")
    if not _has_address(account):
        raise _Obstacle("sender_invalid")
    return None if account.auth.type == "none" and not _proxy_login(account) else _from_secret(account, secrets)


def _has_address(account: MailAccount) -> bool:
    try:
        return bool(account.default_sender.domain)
    except BadAddress:
        return False


def _proxy_login(account: MailAccount) -> bool:
    return account.relay.proxy is not None and account.relay.proxy.username is not None


def _from_secret(account: MailAccount, secrets: Secrets) -> Credential:
    if account.credential_version is None:
        raise _Obstacle("secret_missing")
    try:
        secret = secrets.secret(account)
    except SecretUnavailable as error:
        raise _Obstacle("secret_missing") from error
    if not _saved_for(account, secret):
        raise _Obstacle("secret_not_for_this_relay")
    password, token = secret.password, secret.access_token
    if account.auth.type == "password" and password is None:
        raise _Obstacle("secret_missing")
    if account.auth.type == "oauth2" and token is None:
        raise _Obstacle("token_missing")
    return Credential(
        version=account.credential_version,
        username=account.auth.username or account.default_sender.email,
        password=password.get_secret_value() if password and account.auth.type == "password" else None,
        token=token.get_secret_value() if token and account.auth.type == "oauth2" else None,
        proxy_password=secret.proxy_password.get_secret_value() if secret.proxy_password else None,
    )


def _saved_for(account: MailAccount, secret: AccountSecret) -> bool:
    bound, relay = secret.saved_for, account.relay
    saved = (bound.host.lower(), bound.port, bound.security, bound.username)
    return saved == (relay.host.lower(), relay.port, relay.security.value, account.auth.username)


def _own_reply(code: str) -> Reply:
    return Reply(phase=Phase.SETTINGS, code=None, text=code)
