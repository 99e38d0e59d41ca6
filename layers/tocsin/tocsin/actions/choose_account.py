"""Choose the mail account that carries a notification, with its credential, or say why none can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tocsin.actions.counted import MONTHS_USED_UP
from tocsin.actions.log_in import NoCredential
from tocsin.model.address import BadAddress
from tocsin.model.delivery import Fallback, State
from tocsin.model.remedy import state_for
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import ALWAYS_BORNE, route_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tocsin.actions.gate import Gate
    from tocsin.actions.log_in import LogIn
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.project import ProjectSettings
    from tocsin.model.remedy import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """An account that may send now. `credential` is None where the account logs in as nobody.

    `instead_of` is the first choice, where this is not it. `others_come_back`: one of those before it is in a trouble
    that goes away by itself.
    """

    account: MailAccount
    credential: Credential | None
    instead_of: Fallback | None = None
    others_come_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The account that will carry the notification at `until`, and what it waits for."""

    account: MailAccount
    until: datetime
    reply: Reply
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """No account may send: the obstacle of the first choice, or (`account` None) one that is no account's.

    `verdict` None: the table of remedies knows the reply.
    """

    account: MailAccount | None
    reply: Reply
    verdict: Verdict | None = None


def choose_account(
    notification: Notification,
    candidates: Iterable[MailAccount],
    log_in: LogIn,
    gate: Gate,
    *,
    patient_until: datetime,
    deadline: float,
) -> Usable | Waiting | Unusable:
    """The first candidate that can send now, or will before the notification's family loses patience.

    Where none will, it waits for the one whose time comes first, or for the next month of one whose month is used up;
    where none ever will, an admin must act.

    Raises:
        TransientError: a secret may be read later.
    """
    now = gate.clock()
    passed: list[Waiting | Unusable] = []
    for account in candidates:
        found = _try(account, notification, log_in, gate, deadline)
        if isinstance(found, Usable):
            others_come_back = any(_comes_back(one) or _waits_for_next_month(one) for one in passed)
            return replace(found, instead_of=_instead_of(passed), others_come_back=others_come_back)
        if isinstance(found, Waiting) and found.until <= max(patient_until, now + ALWAYS_BORNE) and _passes(found):
            return found
        if isinstance(found, Unusable) and found.verdict is not None and _passes(found) and now < patient_until:
            return found
        passed.append(found)
    waiting = [found for found in passed if isinstance(found, Waiting)]
    if waiting:
        return min(waiting, key=lambda found: found.until)
    if not passed:
        return Unusable(account=None, reply=_own(_nothing_found(notification)))
    return next(filter(_comes_back, passed), next(filter(_waits_for_next_month, passed), passed[0]))


def candidates(
    notification: Notification, settings: ProjectSettings, system: ProjectSettings | None
) -> Iterator[MailAccount]:
    """The accounts that may carry the notification, first choice first, as far as the project allows fall-back.

    A word to the admins goes by whichever account still can, at last by the installation's own: it may be the route
    itself that they must put right.
    """
    named = notification.data.options.mail_account_id
    if named is not None:
        yield from (account for account in settings.mail_accounts.values() if account.id == named)
        return
    accounts = settings.accounts_for(route_of(notification))
    yield from accounts
    if is_to_admins(notification):
        yield from (account for account in settings.mail_accounts.values() if account not in accounts)
    if system is not None:
        yield from system.accounts_for(route_of(notification))


def is_to_admins(notification: Notification) -> bool:
    """Whether the notification tells a project's admins what they must put right."""
    return notification.data.for_admins


def _try(
    account: MailAccount, notification: Notification, log_in: LogIn, gate: Gate, deadline: float
) -> Usable | Waiting | Unusable:
    obstacle = _obstacle(account, notification)
    if obstacle is not None:
        return Unusable(account=account, reply=_own(obstacle))
    hindrance = gate.hindrance(account)
    if hindrance is not None and hindrance.until is not None:
        return Waiting(account=account, until=hindrance.until, reply=hindrance.reply, verdict=hindrance.verdict)
    if hindrance is not None:
        whose = None if hindrance.is_of_project else account
        return Unusable(account=whose, reply=hindrance.reply, verdict=hindrance.verdict)
    try:
        current, credential = log_in.credential(account, deadline=deadline)
    except NoCredential as missing:
        return Unusable(account=account, reply=missing.reply, verdict=missing.verdict)
    return Usable(account=current, credential=credential)


def _passes(found: Waiting | Unusable) -> bool:
    """Whether what is in the way goes away by itself, as far as we know."""
    return found.verdict is None or state_for(found.verdict.failure_class) is not State.PARKED


def _comes_back(found: Waiting | Unusable) -> bool:
    """Whether the account will be able to send before long, without an admin."""
    return _passes(found) and (isinstance(found, Waiting) or found.verdict is not None)


def _waits_for_next_month(found: Waiting | Unusable) -> bool:
    """Whether the account will be able to send without an admin, but only then."""
    return found.reply.text in MONTHS_USED_UP


def _instead_of(passed: Sequence[Waiting | Unusable]) -> Fallback | None:
    first = passed[0] if passed else None
    if first is None or first.account is None:
        return None
    return Fallback(mail_account_id=first.account.id, reason=first.reply.text)


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
    return is_to_admins(notification) or route_of(notification) in account.use_for


def _has_sender(account: MailAccount, email: str | None) -> bool:
    return email is None or any(sender.email == email for sender in account.senders)


def _has_address(account: MailAccount) -> bool:
    try:
        return bool(account.default_sender.domain)
    except BadAddress:
        return False


def _own(code: str) -> Reply:
    return Reply(phase=Phase.SETTINGS, code=None, text=code)
