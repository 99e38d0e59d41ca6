"""Choose the mail account that carries a notification, with its credential, or say why none can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.actions.log_in import NoCredential
from tocsin.model.address import BadAddress
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import route_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.actions.log_in import LogIn
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.project import ProjectSettings
    from tocsin.model.remedy import Verdict

_TO_ADMINS = "settings"  # the family of what a project's admins are told of their mail accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """An account that may send now. `credential` is None where the account logs in as nobody."""

    account: MailAccount
    credential: Credential | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """No account may send: the obstacle of the first choice. `verdict` None: the table of remedies knows the reply."""

    account: MailAccount | None
    reply: Reply
    verdict: Verdict | None = None


def choose_account(
    notification: Notification,
    settings: ProjectSettings,
    log_in: LogIn,
    *,
    system: ProjectSettings | None,
    deadline: float,
) -> Usable | Unusable:
    """The first account of the notification's route that can send, as far as the project allows fall-back.

    A word to the admins goes by whichever account still can: it may be the route itself that they must put right.

    Raises:
        TransientError: a secret may be read later.
    """
    first: Unusable | None = None
    for account in _candidates(notification, settings, system):
        obstacle = _obstacle(account, notification)
        if obstacle is not None:
            first = first or Unusable(account=account, reply=_own(obstacle))
            continue
        try:
            current, credential = log_in.credential(account, deadline=deadline)
        except NoCredential as missing:
            first = first or Unusable(account=account, reply=missing.reply, verdict=missing.verdict)
        else:
            return Usable(account=current, credential=credential)
    return first or Unusable(account=None, reply=_own(_nothing_found(notification)))


def _candidates(
    notification: Notification, settings: ProjectSettings, system: ProjectSettings | None
) -> Iterator[MailAccount]:
    named = notification.data.options.mail_account_id
    if named is not None:
        yield from (account for account in settings.mail_accounts.values() if account.id == named)
        return
    accounts = settings.accounts_for(route_of(notification))
    yield from accounts
    if notification.family == _TO_ADMINS:
        yield from (account for account in settings.mail_accounts.values() if account not in accounts)
    if system is not None:
        yield from system.accounts_for(route_of(notification))


def _nothing_found(notification: Notification) -> str:
    return "no_route" if notification.data.options.mail_account_id is None else "mail_account_not_found"


def _obstacle(account: MailAccount, notification: Notification) -> str | None:
    """What stands in the account's way, beside its credential."""
    obstacles = {
        "account_disabled": not account.enabled or account.status == "disabled",
        "account_paused": account.paused,
        "reauthorization_required": account.status == "reauthorization_required",
        "transport_not_available": account.transport != "smtp",
        "account_not_for_route": not _may_carry(account, notification),
        "sender_invalid": not _has_address(account),
        "sender_not_found": not _has_sender(account, notification.data.options.sender),
    }
    return next((name for name, stands in obstacles.items() if stands), None)


def _may_carry(account: MailAccount, notification: Notification) -> bool:
    return notification.family == _TO_ADMINS or route_of(notification) in account.use_for


def _has_sender(account: MailAccount, email: str | None) -> bool:
    return email is None or any(sender.email == email for sender in account.senders)


def _has_address(account: MailAccount) -> bool:
    try:
        return bool(account.default_sender.domain)
    except BadAddress:
        return False


def _own(code: str) -> Reply:
    return Reply(phase=Phase.SETTINGS, code=None, text=code)
