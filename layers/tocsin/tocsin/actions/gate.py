"""What an account may do now: its rate limits and its circuit breaker, shared by all workers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from tocsin.actions.counted import Counted, has_limit, project_rate_key
from tocsin.model import breaker as breakers
from tocsin.model import rate as rates
from tocsin.model import slot
from tocsin.model.breaker import Breaker, Standing, refuses_the_credential
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.shared_item import SharedItem, shared_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from tocsin.model.mail_account import Limits, MailAccount
    from tocsin.model.project import Project
    from tocsin.model.rate import Rate
    from tocsin.model.route import Route

_SLOTS_READ = 10
_OF_THE_ACCOUNT = frozenset(
    {FailureClass.NETWORK, FailureClass.AUTH_TRANSIENT, FailureClass.THROTTLED, FailureClass.UNKNOWN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why an account may not submit now. `until` None: until an admin acts. `verdict` None: the table knows it.

    `is_of_project`: no account of the project's may.
    """

    reply: Reply
    verdict: Verdict | None = None
    until: datetime | None = None
    is_of_project: bool = False


class News(Enum):
    """What became known of an account, and somebody must be told."""

    FAILING = "failing"
    RECOVERED = "recovered"
    LOGIN_REFUSED = "login_refused"  # and may be tried once more
    LOGIN_WORKS = "login_works"  # that was refused before
    MONTH_NEARLY_USED = "month_nearly_used"
    PROJECT_MONTH_NEARLY_USED = "project_month_nearly_used"


@dataclass(slots=True, kw_only=True)
class Gate:
    """What stands of the accounts that may carry one notification.

    `limits` are those in force for an account; `project` is whose own limits hold beside them, over all accounts. Who
    `has_waited` takes whatever room there is next; others join the line of the notification's `route`.
    """

    limits: Callable[[MailAccount], Limits]
    route: Route
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    project: Project | None = None
    items: dict[str, SharedItem] = field(default_factory=dict)
    has_waited: bool = False
    _given_up: dict[str, Hindrance] = field(default_factory=dict)
    _claimed_at: datetime | None = None
    _probed: str | None = None

    def keys(self, accounts: Iterable[MailAccount]) -> Iterator[str]:
        """The keys of what must be known of the accounts, the first choice's slots among them."""
        for position, account in enumerate(accounts):
            yield breakers.breaker_key(account)
            if has_limit(self.limits(account)):
                yield shared_key("rate", account)
            if position == 0:
                yield from (slot.slot_key(account, number) for number in range(self._slots_read(account)))
                yield from self._project_key()

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of items as they stand now."""
        self.items.update((item.key, item) for item in items)

    def lose(self, items: Iterable[SharedItem]) -> None:
        """Take note that a claim was not written, because these items are another's."""
        self._probed = None
        self.learn(items)

    def give_up(self, account: MailAccount, reply: Reply, verdict: Verdict | None) -> None:
        """Take note that nothing more goes by the account in this run."""
        self._given_up[shared_key("account", account)] = Hindrance(reply=reply, verdict=verdict)

    def is_given_up(self, account: MailAccount) -> bool:
        """Whether it was given up."""
        return shared_key("account", account) in self._given_up

    def slots(self) -> list[SharedItem]:
        """The slots that were read."""
        return [item for key, item in self.items.items() if key.startswith(slot.KIND)]

    def hindrance(self, account: MailAccount) -> Hindrance | None:
        """What keeps the account from submitting anything now."""
        return self._standstill(account) or self._over_limit(account)

    def room(self, account: MailAccount, wanted: int) -> int:
        """How many of the mails may be submitted now."""
        if self._standstill(account) is not None:
            return 0
        rooms = (one.rate.room(self.clock(), self.route.value) for one in self._counted(account))
        return min([wanted, *(room for room in rooms if room is not None)])

    def claim(self, account: MailAccount, mails: int, *, logs_in: bool) -> list[SharedItem]:
        """What must be written before so many mails are submitted: their count, and who tries a half-open breaker.

        `logs_in`: a login is part of it; none begins where the breaker is not as it was read.
        """
        now, breaker = self.clock(), self._breaker(account)
        self._claimed_at = now
        claim = [self._rate_item(one, one.rate.submitted(mails, now)) for one in self._counted(account)]
        if breaker.standing(now) is Standing.HALF_OPEN:
            self._probed = breakers.breaker_key(account)
            claim.append(self._breaker_item(account, breaker.probing(now)))
        elif logs_in and breaker.has_one_login_left(account.credential_version):
            self._probed = breakers.breaker_key(account)
            claim.append(self._breaker_item(account, breaker.logging_in(now)))
        elif logs_in:
            claim.append(replace(self._item("breaker", account), is_checked_only=True))
        return claim

    def book(self, account: MailAccount, mails: int) -> tuple[datetime, list[SharedItem]]:
        """When mails that find no room may come back, and what must be written so that others come later."""
        now, line, full = self.clock(), self.route.value, self._full(account)
        if self.has_waited:
            return max((one.rate.room_again_at(now, line) for one in full), default=now), []
        booked = [(one, *one.rate.booked(line, mails, now)) for one in full]
        return max((begin for _, _, begin in booked), default=now), [
            self._rate_item(one, rate) for one, rate, _ in booked
        ]

    def settle(
        self, account: MailAccount, *, claimed: int, used: int, worked: bool, failure: tuple[Reply, Verdict] | None
    ) -> tuple[list[SharedItem], set[News]]:
        """What is to be written with the answers, and what somebody must be told once it is.

        Of the mails that were `claimed`, the relay heard of those that count as `used`. `worked` tells that it took or
        refused mail as one that works, and `failure` ended the window.
        """
        written: list[SharedItem] = []
        news: set[News] = set()
        self.has_waited = self.has_waited and not claimed
        for one in self._counted(account) if claimed else ():
            settled = self._settled(one, claimed, used, account)
            if settled.warned != one.rate.warned:
                news.add(News.PROJECT_MONTH_NEARLY_USED if one.is_of_project else News.MONTH_NEARLY_USED)
            if settled != one.rate:
                written.append(self._rate_item(one, settled))
        before = self._breaker(account)
        after = self._after(account, before, worked=worked, failure=failure)
        if after != before:
            written.append(self._breaker_item(account, after))
            news |= _news(before, after, account.credential_version)
        return written, news

    def _settled(self, one: Counted, claimed: int, used: int, account: MailAccount) -> Rate:
        """The rate once it is known what was used; a project is warned where an account of its own shows it."""
        now = self.clock()
        settled = one.rate.settled(claimed=claimed, used=used, claimed_at=self._claimed_at or now, now=now)
        is_shown = self.project is None or not one.is_of_project or account.project_id == self.project.project_id
        return settled.warning_given() if settled.warns_now and is_shown else settled

    def _standstill(self, account: MailAccount) -> Hindrance | None:
        """What keeps the account from submitting, whatever its limits."""
        given_up, breaker = self._given_up.get(shared_key("account", account)), self._breaker(account)
        if given_up is not None or breaker.last is None:
            return given_up
        now, version = self.clock(), account.credential_version
        if breaker.logins_are_stopped(version):
            return Hindrance(reply=breaker.last.reply, verdict=breaker.last.verdict)
        opens_at = breaker.open_until if breaker.standing(now) is Standing.OPEN else None
        until = opens_at or breaker.logins_wait_until(version, now)
        if until is None or self._probes(account):
            return None
        return Hindrance(reply=_own("breaker_open"), verdict=breaker.last.verdict, until=until)

    def _over_limit(self, account: MailAccount) -> Hindrance | None:
        now, line, full = self.clock(), self.route.value, self._full(account)
        for one in full:
            if one.rate.month_is_used_up:
                return Hindrance(reply=_own(one.month_used_up), is_of_project=one.is_of_project)
        untils = [one.rate.room_again_at(now, line) if self.has_waited else one.rate.turn_at(line, now) for one in full]
        if not full:
            return None
        until, last = max(zip(untils, full, strict=True), key=lambda pair: pair[0])
        return Hindrance(reply=_own(last.over_limit), until=until, is_of_project=last.is_of_project)

    def _after(
        self, account: MailAccount, breaker: Breaker, *, worked: bool, failure: tuple[Reply, Verdict] | None
    ) -> Breaker:
        now = self.clock()
        is_open = breaker.standing(now) is Standing.OPEN
        is_late = is_open and not self._probes(account)  # it opened after the window began
        if worked and not is_late:
            breaker = Breaker()
        if failure is None:
            return breaker
        reply, verdict = failure
        if refuses_the_credential(reply, verdict, auth_type=account.auth.type):
            return breaker.after_refused_login(reply, verdict, now, credential_version=account.credential_version)
        if verdict.failure_class not in _OF_THE_ACCOUNT or breaker.logins_are_stopped(account.credential_version):
            return breaker
        if is_late:
            return breaker.after_late_failure(reply, verdict, now)
        return breaker.after_failure(reply, verdict, now, jitter=self.jitter())

    def _probes(self, account: MailAccount) -> bool:
        """Whether the one who tries the account, while all others wait, is this worker."""
        return self._probed == breakers.breaker_key(account)

    def _counted(self, account: MailAccount) -> list[Counted]:
        """The rates that a mail by the account counts in, the project's first."""
        now, counted = self.clock(), []
        if self.project is not None:
            items = (self._standing(key) for key in self._project_key())
            counted = [Counted.of(item, self.project.limits, now, is_of_project=True) for item in items]
        if has_limit(limits := self.limits(account)):
            counted.append(Counted.of(self._item("rate", account), limits, now, is_of_project=False))
        return counted

    def _full(self, account: MailAccount) -> list[Counted]:
        """Those of them in which one mail more finds no room now."""
        now = self.clock()
        return [one for one in self._counted(account) if one.rate.room(now, self.route.value) == 0]

    def _project_key(self) -> Iterator[str]:
        """The key of what all mails of the project count in, if it has limits."""
        if self.project is not None and has_limit(self.project.limits):
            yield project_rate_key(self.project)

    def _slots_read(self, account: MailAccount) -> int:
        return min(self.limits(account).connections, _SLOTS_READ)

    def _item(self, kind: str, account: MailAccount) -> SharedItem:
        return self._standing(shared_key(kind, account))

    def _standing(self, key: str) -> SharedItem:
        return self.items.get(key, SharedItem(key=key))

    def _breaker(self, account: MailAccount) -> Breaker:
        return Breaker.of(self._item("breaker", account).document)

    def _rate_item(self, one: Counted, rate: Rate) -> SharedItem:
        return one.item.with_document(rate.document(), forgotten_at=self.clock() + rates.KEPT)

    def _breaker_item(self, account: MailAccount, breaker: Breaker) -> SharedItem:
        forgotten_at = self.clock() + breakers.KEPT
        return self._item("breaker", account).with_document(breaker.document(), forgotten_at=forgotten_at)


def _news(before: Breaker, after: Breaker, credential_version: str | None) -> set[News]:
    stops = after.logins_are_stopped(credential_version) and not before.logins_are_stopped(credential_version)
    if stops or after.pauses > before.pauses == 0:
        return {News.FAILING}
    if after.has_one_login_left(credential_version) and not before.has_one_login_left(credential_version):
        return {News.LOGIN_REFUSED}
    if after.has_given_way or not before.has_given_way:
        return set()
    return {News.RECOVERED, News.LOGIN_WORKS} if before.refused_logins else {News.RECOVERED}


def _own(code: str) -> Reply:
    return Reply(phase=Phase.SETTINGS, code=None, text=code)
