"""Write down, and tell, how an account fares: failing, recovered, or near the end of its month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.gate import News
from tocsin.model.mail_account import LastError
from tocsin.model.visits import next_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.renew_grant import AccountBus, Grants
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

_MAY_FAIL = frozenset({"verified", "not_verified", "failing"})  # again, where it fails in another way
_MONTH_REMEDY = (
    "Four fifths of the mails that the account may send in a month are sent. What is beyond the limit is parked until "
    "the next month begins: raise the account's per_month if the provider allows more, or spread the routes."
)


class RedriveMarks(Protocol):
    """What is to go again, and when."""

    def mark(self, project_id: str, account_id: str | None, at: datetime) -> None:
        """Have what is parked for the account go again at `at`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfAccounts:
    """The action and all that it needs. `on_failure` is told of what could not be told, by its reason."""

    grants: Grants
    bus: AccountBus
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

    def month_used_up(self, account: MailAccount, until: datetime) -> None:
        """See to it that what is parked goes again when the next month begins. Never raises."""
        try:
            self.marks.mark(account.project_id, account.id, until)
        except Exception as error:  # noqa: BLE001  (as above)
            self.on_failure(type(error).__name__, 1)

    def _tell(self, account: MailAccount, news: News, failure: tuple[Reply, Verdict] | None) -> None:
        current = self.grants.read(account.project_id, account.id)
        if current is None or current.version != account.version:
            return  # an admin was quicker
        match news:
            case News.FAILING if failure is not None and current.status in _MAY_FAIL:
                error = LastError.of(*failure, at=self.clock())
                self._write(current, {"status": "failing", "last_error": error}, event="failing")
            case News.RECOVERED if current.status == "failing":
                status = "verified" if current.verified_at is not None else "not_verified"
                self._write(current, {"status": status, "last_error": None}, event=status)
            case News.MONTH_NEARLY_USED:
                self._write(current, {"last_error": _month_nearly_used(self.clock())}, event=None)
            case _:
                pass

    def _write(self, current: MailAccount, update: dict[str, object], *, event: str | None) -> None:
        after = current.model_copy(update=update)
        self.grants.update(current, after, refresh_at=next_visit(after, self.clock(), jitter=self.jitter()))
        if event in {"failing", "verified"}:
            self.bus.account_changed(str(event), after)


def _month_nearly_used(at: datetime) -> LastError:
    return LastError(
        at=at, phase="settings", text="month_nearly_used", remedy_id="month-nearly-used", remedy=_MONTH_REMEDY
    )
