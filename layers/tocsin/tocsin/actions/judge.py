"""From the reply to one submission to the delivery's next state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Protocol

from tocsin.model.delivery import NEXT, Change, Entry, State
from tocsin.model.remedy import FailureClass, state_for
from tocsin.model.retry import RESUBMIT_UNKNOWN_AFTER, end_of_life, wait_before, within_life
from tocsin.model.route import Route

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

_RESUBMITTED_ROUTES = frozenset({Route.INCIDENT, Route.ALERT, Route.SYSTEM})
_OF_THE_ACCOUNT = frozenset(
    {FailureClass.AUTH_PERMANENT, FailureClass.AUTH_TRANSIENT, FailureClass.CONFIG, FailureClass.NETWORK}
)


class Remedies(Protocol):
    """The table of failures."""

    def verdict(self, reply: Reply, *, auth_type: str, port: int | None = None, host: str | None = None) -> Verdict:
        """The class of a failed reply, and its remedy."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Turns the replies to one notification's submissions into changes.

    `is_perishable`: what it says ends by itself, so that a re-drive gives it no new life. `goes_by_any`: it goes by
    whichever account can send, and so is parked for want of any, not for one.
    """

    remedies: Remedies
    route: Route
    resubmit_unknown: bool
    expires_at: datetime
    is_perishable: bool = False
    goes_by_any: bool = False

    def ends_at(self, entry: Entry) -> datetime:
        """When the useful life of this one delivery is over."""
        revived_at = entry.revived_at if not self.is_perishable else None
        return end_of_life(self.expires_at, route=self.route, revived_at=revived_at)

    def verdict(self, reply: Reply, account: MailAccount | None) -> Verdict | None:
        """The verdict on `reply`; None where the relay accepted."""
        if reply.accepted:
            return None
        if account is None:
            return self.remedies.verdict(reply, auth_type="none")
        relay = account.relay
        return self.remedies.verdict(reply, auth_type=account.auth.type, port=relay.port, host=relay.host)

    def change(
        self,
        entry: Entry,
        reply: Reply,
        *,
        account: MailAccount | None,
        now: datetime,
        told: bool = True,
        verdict: Verdict | None = None,
    ) -> Change:
        """The change from `entry` that `reply` calls for; `verdict` is given where it was judged before.

        `told` is false where the relay was never told of this very mail; then, and where it is parked, no attempt is
        spent. That of a worker that died was.
        """
        verdict = verdict or self.verdict(reply, account)
        state = State.ACCEPTED if verdict is None else state_for(verdict.failure_class)
        if state not in NEXT[entry.state]:  # a deferred one that can no longer be composed waits for its end
            state = State.DEFERRED
        is_ours = entry.state is State.SUBMITTING and not entry.is_left
        given_back = is_ours and (state is State.PARKED or not told)
        waits_for_any = state is State.PARKED and self.goes_by_any
        return Change(
            before=entry,
            state=state,
            attempt=entry.attempt - 1 if given_back else entry.attempt,
            mail_account_id=account.id if account is not None and not waits_for_any else None,
            reply=reply,
            verdict=verdict,
            retry_at=self._retry_at(state, entry, verdict, now),
        )

    def _retry_at(self, state: State, before: Entry, verdict: Verdict | None, now: datetime) -> datetime | None:
        if state is State.UNKNOWN:
            again = (self.route in _RESUBMITTED_ROUTES or self.resubmit_unknown) and not before.resubmitted
            return now + RESUBMIT_UNKNOWN_AFTER if again else None
        if state is not State.DEFERRED:
            return None
        hint = timedelta(seconds=(verdict.wait_seconds if verdict is not None else None) or 0)
        again_at = now + wait_before(max(before.attempt, 1), at_least=hint)
        return within_life(again_at, ends_at=self.ends_at(before), now=now, not_before=now + hint).astimezone(UTC)


def concerns_the_rest(verdict: Verdict | None, reply: Reply, *, earlier_throttles: int) -> bool:
    """Whether the other messages of the window would fare no better now, so that they are not tried.

    One throttled message may be a matter of that message; a second one is a matter of the account, as is a reply that
    says so.
    """
    if verdict is None:
        return False
    if verdict.failure_class in _OF_THE_ACCOUNT or verdict.failure_class is FailureClass.UNKNOWN:
        return True
    return verdict.failure_class is FailureClass.THROTTLED and (
        reply.code in _OF_THE_CHANNEL or (reply.enhanced or "").startswith(_BY_POLICY) or earlier_throttles > 0
    )


_OF_THE_CHANNEL = frozenset({421, 432})  # it is closed (RFC 5321 section 3.8); there are too many (Exchange)
_BY_POLICY = "4.7."  # RFC 3463 section 3.8
