"""The accounts of the gate's tests, and the table by which workers share what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tocsin.actions.gate import Gate, News
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.route import Route
from tocsin.model.shared_item import SharedItem

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.model.mail_account import MailAccount

F = FailureClass
THIRTY = account(limits={"per_minute": 30})
A_HUNDRED_A_MONTH = account(limits={"per_month": 100})
FREE = account()
DOWN = Reply(phase=Phase.CONNECT, code=None, text="timed out")
REFUSED = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="bad credentials")
PERMANENT = Verdict(failure_class=F.AUTH_PERMANENT, remedy_id="login-refused", remedy="Check the password.")


def verdict(failure_class: F = F.NETWORK, *, wait_seconds: int | None = None) -> Verdict:
    return Verdict(failure_class=failure_class, remedy_id="row", remedy="Help.", wait_seconds=wait_seconds)


@dataclass
class Table:
    """EphemeralTable, and the time: what one gate writes, another that is made later reads."""

    now: datetime = NOW
    items: dict[str, SharedItem] = field(default_factory=dict)

    def gate(self, route: Route = Route.INCIDENT) -> Gate:
        gate = Gate(limits=lambda one: one.limits, route=route, clock=lambda: self.now, jitter=lambda: 0.0)
        gate.learn(self.items.values())
        return gate

    def write(self, gate: Gate, items: Iterable[SharedItem]) -> None:
        written = list(items)
        for item in written:
            before = self.items.get(item.key, SharedItem(key=item.key)).version
            assert before == (item.version if item.is_checked_only else item.version - 1), "another wrote meanwhile"
        self.items.update((item.key, item) for item in written if not item.is_checked_only)
        gate.learn(written)

    def claim(self, gate: Gate, mails: int, *, of: MailAccount = THIRTY, logs_in: bool = False) -> None:
        self.write(gate, gate.claim(of, mails, logs_in=logs_in))

    def fail(self, *, failure: Verdict | None = None, reply: Reply = DOWN, gate: Gate | None = None) -> set[News]:
        """A window of the account without limits that failed."""
        gate = gate or self.gate()
        self.write(gate, gate.claim(FREE, 1, logs_in=True))
        written, news = gate.settle(FREE, claimed=1, used=0, worked=False, failure=(reply, failure or verdict()))
        self.write(gate, written)
        return news

    def work(self, gate: Gate | None = None) -> set[News]:
        """A window of the account without limits that worked."""
        gate = gate or self.gate()
        self.write(gate, gate.claim(FREE, 1, logs_in=True))
        written, news = gate.settle(FREE, claimed=1, used=1, worked=True, failure=None)
        self.write(gate, written)
        return news

    def refuse_twice(self) -> list[set[News]]:
        """Two logins that are refused, as soon as they may be."""
        first = self.fail(failure=PERMANENT, reply=REFUSED)
        self.now += timedelta(seconds=30)
        return [first, self.fail(failure=PERMANENT, reply=REFUSED)]

    def open(self) -> None:
        for _ in range(3):
            self.fail()
