"""Write down, and tell, how an account fares: failing, recovered, or near the end of its month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.gate import News
from tocsin.errors import TransientError
from tocsin.model.breaker import NEXT_LOGIN_AFTER
from tocsin.model.day_of_failures import FailureMark, days_marked
from tocsin.model.delivery import State
from tocsin.model.mail_account import LastError
from tocsin.model.remedy import state_for
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.grant_ports import AccountBus, Grants
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

_MAY_FAIL = frozenset({"verified", "not_verified", "failing"})  # again, where it fails in another way
_MONTH_REMEDIES = {
    News.MONTH_NEARLY_USED: (
        "Four fifths of the mails that the account may send in a month are sent. What is beyond the limit is parked"
        " until the next month begins: raise the account's per_month if the provider allows more, or spread the routes."
    ),
    News.PROJECT_MONTH_NEARLY_USED: (
        "Four fifths of the mails that the project may send in a month are sent, by all of its accounts together. What"
        " is beyond the limit is parked until the next month begins: raise the per_month of the project's limits."
    ),
}


class RedriveMarks(Protocol):
    """What is to go again, and when."""

    def mark(self, project_id: str, account_id: str | None, at: datetime) -> None:
        """Have what is parked for the account go again at `at`.

        Raises:
            TransientError: it may be marked later.
        """
        ...


class BreakerNotices(Protocol):
    """The people who look after a project."""

    def breaker_opened(self, account: MailAccount, *, waits_for_admin: bool) -> None:
        """Tell them that the account is left alone: for a while, or until one of them acts. Never raises."""
        ...


class FailureMarks(Protocol):
    """Which projects had failures in which days."""

    def mark(self, mark: FailureMark) -> None:
        """Have the project's failures of that day summed up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfAccounts:
    """The action and all that it needs. `on_failure` is told of what could not be told, by its reason.

    `admins` and `failures` are made when there is something to tell.
    """

    grants: Grants
    bus: AccountBus
    admins: Callable[[], BreakerNotices]
    failures: Callable[[], FailureMarks]
    marks: RedriveMarks
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    on_failure: Callable[[str, int], None]

    def tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        """Tell what became known, with what the account failed with. Never raises."""
        try:
            self._tell(account, news, failure)
        except Exception as error:  # noqa: BLE001  (what became of the mails is journaled, and must stand)
            self.on_failure(type(error).__name__, 1)

    def deliveries_failed(self, project_id: str, *, received_at: datetime) -> None:
        """Have the admins read of it in the summary of the day. Never raises."""
        try:
            for due_at in days_marked(self.clock()):
                self.failures().mark(FailureMark(project_id=project_id, due_at=due_at, since=received_at))
        except Exception as error:  # noqa: BLE001  (as above)
            self.on_failure(type(error).__name__, 1)

    def month_used_up(self, project_id: str, account: MailAccount | None, until: datetime) -> None:
        """See to it that what is parked for the account goes again when the next month begins; None: for none.

        Raises:
            TransientError: that cannot be written now: nothing may be parked to which nothing would lead back.
        """
        try:
            if account is None:
                self.marks.mark(project_id, None, until)
            else:
                self.marks.mark(account.project_id, account.id, until)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001  (as above)
            self.on_failure(type(error).__name__, 1)

    def _tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        current = self.grants.read(account.project_id, account.id)
        if current is None or current.version != account.version:
            return  # an admin was quicker
        match news:
            case News.FAILING if failure is not None and current.status in _MAY_FAIL:
                error = LastError.of(*failure, at=self.clock())
                after = self._write(current, {"status": "failing", "last_error": error}, event="failing")
                self._tell_admins(after, failure[1])
            case News.RECOVERED if current.status == "failing":
                status = "verified" if current.verified_at is not None else "not_verified"
                self._write(current, {"status": status, "last_error": None}, event=status)
            case News.LOGIN_REFUSED:  # what is parked for that makes the second try, if nothing else comes
                self.marks.mark(account.project_id, account.id, self.clock() + NEXT_LOGIN_AFTER)
            case News.LOGIN_WORKS:  # what it was refused for is parked, and no admin has to act for it
                self.marks.mark(account.project_id, account.id, self.clock())
            case News.MONTH_NEARLY_USED | News.PROJECT_MONTH_NEARLY_USED:
                self._write(current, {"last_error": _nearly_used(news, self.clock())}, event=None)
            case _:
                pass

    def _tell_admins(self, account: MailAccount, verdict: Verdict) -> None:
        """Say it once for each opening; of a token that is refused they are told otherwise: it needs a new consent."""
        waits_for_admin = state_for(verdict.failure_class) is State.PARKED
        if not (waits_for_admin and account.auth.oauth2 is not None):
            self.admins().breaker_opened(account, waits_for_admin=waits_for_admin)

    def _write(self, current: MailAccount, update: dict[str, object], *, event: str | None) -> MailAccount:
        after = current.model_copy(update=update)
        self.grants.update(current, after, refresh_at=next_visit(after, self.clock(), jitter=self.jitter()))
        if event in {"failing", "verified"}:
            self.bus.account_changed(str(event), after)
        return after


def _nearly_used(news: News, at: datetime) -> LastError:
    return LastError(
        at=at,
        phase="settings",
        text=news.value,
        remedy_id=news.value.replace("_", "-"),
        remedy=_MONTH_REMEDIES[news],
    )
