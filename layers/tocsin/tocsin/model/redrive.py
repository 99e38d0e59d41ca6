"""Re-drives: which deliveries may go again, what lets an account's parked ones go, and when they are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tocsin.model.delivery import State
from tocsin.model.route import FallbackPolicy, Route

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.chunk import Chunk
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.project import ProjectSettings

REDRIVABLE = frozenset({State.PARKED, State.REFUSED, State.EXPIRED, State.UNKNOWN})
BY_SWEEP = "sweep"
"""Who re-drove a delivery, where no admin asked for it."""

RELEASED_FIRST = timedelta(seconds=5)
"""How long the messages of released deliveries wait, so that a chunk is released as a whole before it is delivered."""

KEPT_FOR = timedelta(days=3)
"""How long the journal must hold a delivery yet, for it to be given a new life: the longest one, and some room."""

MOST_LOG_LINES = 200
"""How many lines a delivery's log may have for it to be given a new life: each life adds some sixty at most."""

_PASSES = (timedelta(seconds=10), timedelta(seconds=60), timedelta(minutes=16))
_CANNOT_SEND = frozenset({"disabled", "reauthorization_required"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryKey:
    """Names one delivery. `recipient` is canonical, so the key goes into no log."""

    chunk: Chunk
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is parked for a mail account may go from `since` on; `mail_account_id` None: what is parked without one.

    `name` tells it from the project's other marks, `token` from an older mark of that name. `pass_at` is when it is
    looked at next: that pass is about what was parked until then. `reached` is how far an unfinished pass came.
    """

    project_id: str
    name: str
    mail_account_id: str | None
    token: str
    since: datetime
    pass_at: datetime
    reached: str | None = None


def state_after(state: State) -> State:
    """The state of a delivery that is re-driven: one whose mail may have arrived stays `unknown`, and is due."""
    return State.UNKNOWN if state is State.UNKNOWN else State.QUEUED


def first_pass(since: datetime) -> datetime:
    """When a mark is looked at first: once no function remembers the settings of before, which it may for 10 s."""
    return since + _PASSES[0]


def next_pass(mark: Mark) -> datetime | None:
    """When a mark is looked at once more; None: that was the last time.

    A function that began with the settings of before may go on parking until its own end: as a rule within seconds,
    and 15 minutes at most. What the settings of now park is so tried twice more, and not for ever.
    """
    passes = (mark.since + after for after in _PASSES)
    return next((moment for moment in passes if moment > mark.pass_at), None)


def mends(before: MailAccount, after: MailAccount) -> bool:
    """Whether the change may let go what is parked for the account. A mere renewal of its token does not."""
    if not _may_send(after):
        return False
    return (
        not _may_send(before)
        or after.version != before.version
        or after.secrets_set != before.secrets_set
        or _is_news(before.verified_at, after.verified_at)
        or _is_news(_consented_at(before), _consented_at(after))
    )


def whose_mails_go(account_id: str, settings: ProjectSettings, system: ProjectSettings | None) -> frozenset[str]:
    """The accounts whose parked mails may go once this one can send: its own, and those it shares a route with.

    They may be the project's, or those of `system`, the installation's own, as far as the project allows fall-back.
    """
    further = system if settings.project.fallback_policy is FallbackPolicy.SYSTEM else None
    routes = (
        {account.id for each in (settings, further) if each is not None for account in each.accounts_for(route)}
        for route in Route
    )
    return frozenset({account_id}).union(*(route for route in routes if account_id in route))


def _may_send(account: MailAccount) -> bool:
    return account.enabled and not account.paused and account.status not in _CANNOT_SEND


def _is_news(before: datetime | None, after: datetime | None) -> bool:
    return after is not None and after != before


def _consented_at(account: MailAccount) -> datetime | None:
    return account.grant.consented_at if account.grant is not None else None
