"""What an account may do now: its rate limits and its circuit breaker, shared by all workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from tocsin.model import breaker as breakers
from tocsin.model import rate as rates
from tocsin.model import slot
from tocsin.model.breaker import Breaker, refuses_the_credential
from tocsin.model.rate import Rate
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.shared_item import SharedItem, shared_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from tocsin.model.mail_account import Limits, MailAccount

OVER_LIMIT = "over_limit"
MONTH_USED_UP = "month_used_up"
_SLOTS_READ = 10
_OF_THE_ACCOUNT = frozenset(
    {FailureClass.NETWORK, FailureClass.AUTH_TRANSIENT, FailureClass.THROTTLED, FailureClass.UNKNOWN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why an account may not submit now. `until` None: until an admin acts. `verdict` None: the table knows it."""

    reply: Reply
    verdict: Verdict | None = None
    until: datetime | None = None


class News(Enum):
    """What became known of an account, and somebody must be told."""

    FAILING = "failing"
    RECOVERED = "recovered"
    MONTH_NEARLY_USED = "month_nearly_used"


@dataclass(slots=True, kw_only=True)
class Gate:
    """What stands of the accounts that may carry one notification. `limits` are those in force for an account."""

    limits: Callable[[MailAccount], Limits]
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    items: dict[str, SharedItem] = field(default_factory=dict)

    def keys(self, accounts: Iterable[MailAccount]) -> Iterator[str]:
        """The keys of what must be known of the accounts, the first choice's slots among them."""
        for position, account in enumerate(accounts):
            yield shared_key("breaker", account)
            if self._is_limited(account):
                yield shared_key("rate", account)
            if position == 0:
                yield from (slot.slot_key(account, number) for number in range(self._slots_read(account)))

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of items as they stand now."""
        self.items.update((item.key, item) for item in items)

    def slots(self) -> list[SharedItem]:
        """The slots that were read."""
        return [item for key, item in self.items.items() if key.startswith(slot.KIND)]

    def hindrance(self, account: MailAccount) -> Hindrance | None:
        """What keeps the account from submitting anything now."""
        now, breaker = self.clock(), self._breaker(account)
        if breaker.last is not None and breaker.logins_are_stopped(account.credential_version):
            return Hindrance(reply=breaker.last.reply, verdict=breaker.last.verdict)
        if breaker.last is not None and breaker.standing(now) is breakers.Standing.OPEN:
            return Hindrance(reply=_own("breaker_open"), verdict=breaker.last.verdict, until=breaker.open_until)
        if not self._is_limited(account) or self._rate(account).room(now) != 0:
            return None
        rate = self._rate(account)
        if rate.month_is_used_up:
            return Hindrance(reply=_own(MONTH_USED_UP))
        return Hindrance(reply=_own(OVER_LIMIT), until=rate.room_again_at(now))

    def room(self, account: MailAccount, wanted: int) -> int:
        """How many of the mails may be submitted now."""
        room = self._rate(account).room(self.clock()) if self._is_limited(account) else None
        return wanted if room is None else min(room, wanted)

    def claim(self, account: MailAccount, mails: int) -> list[SharedItem]:
        """What must be written before so many mails are submitted: their count, and who tries a half-open breaker."""
        now, breaker = self.clock(), self._breaker(account)
        claim = []
        if self._is_limited(account):
            claim.append(self._rate_item(account, self._rate(account).submitted(mails, now)))
        if breaker.standing(now) is breakers.Standing.HALF_OPEN:
            claim.append(self._breaker_item(account, breaker.probing(now)))
        return claim

    def book(self, account: MailAccount, mails: int) -> tuple[datetime, list[SharedItem]]:
        """When mails that find no room may come back, and what must be written so that others come later."""
        now = self.clock()
        rate, begin = self._rate(account).booked(mails, now)
        return begin, [self._rate_item(account, rate)]

    def settle(
        self, account: MailAccount, *, unused: int, worked: bool, failure: tuple[Reply, Verdict] | None
    ) -> tuple[list[SharedItem], set[News]]:
        """What is to be written with the answers, and what somebody must be told once it is.

        `unused` mails were claimed and never submitted, `worked` tells that the relay took or refused mail as one that
        works, and `failure` ended the window.
        """
        written: list[SharedItem] = []
        news: set[News] = set()
        if self._is_limited(account):
            rate = self._rate(account)
            if rate.warns_now:
                news.add(News.MONTH_NEARLY_USED)
            if unused or rate.warns_now:
                settled = rate.submitted(-unused, self.clock())
                written.append(self._rate_item(account, settled.warning_given() if rate.warns_now else settled))
        before = self._breaker(account)
        after = self._after(account, before, worked=worked, failure=failure)
        if after != before:
            written.append(self._breaker_item(account, after))
            news |= _news(before, after, account.credential_version)
        return written, news

    def _after(
        self, account: MailAccount, breaker: Breaker, *, worked: bool, failure: tuple[Reply, Verdict] | None
    ) -> Breaker:
        if worked:
            breaker = Breaker()
        if failure is None:
            return breaker
        reply, verdict = failure
        if refuses_the_credential(reply, verdict, auth_type=account.auth.type):
            return breaker.after_refused_login(reply, verdict, account.credential_version)
        if verdict.failure_class in _OF_THE_ACCOUNT:
            return breaker.after_failure(reply, verdict, self.clock(), jitter=self.jitter())
        return breaker

    def _is_limited(self, account: MailAccount) -> bool:
        limits = self.limits(account)
        return any(limit is not None for limit in (limits.per_minute, limits.per_day, limits.per_month))

    def _slots_read(self, account: MailAccount) -> int:
        return min(self.limits(account).connections, _SLOTS_READ)

    def _item(self, kind: str, account: MailAccount) -> SharedItem:
        key = shared_key(kind, account)
        return self.items.get(key, SharedItem(key=key))

    def _rate(self, account: MailAccount) -> Rate:
        return Rate.of(self._item("rate", account).document, self.limits(account), self.clock())

    def _breaker(self, account: MailAccount) -> Breaker:
        return Breaker.of(self._item("breaker", account).document)

    def _rate_item(self, account: MailAccount, rate: Rate) -> SharedItem:
        return self._item("rate", account).with_document(rate.document(), forgotten_at=self.clock() + rates.KEPT)

    def _breaker_item(self, account: MailAccount, breaker: Breaker) -> SharedItem:
        forgotten_at = self.clock() + breakers.KEPT
        return self._item("breaker", account).with_document(breaker.document(), forgotten_at=forgotten_at)


def _news(before: Breaker, after: Breaker, credential_version: str | None) -> set[News]:
    was, now = (
        breaker.open_until is not None or breaker.logins_are_stopped(credential_version) for breaker in (before, after)
    )
    if was == now:
        return set()
    return {News.FAILING if now else News.RECOVERED}


def _own(code: str) -> Reply:
    return Reply(phase=Phase.SETTINGS, code=None, text=code)
