"""Processes that share a table of slots, and the connections that each of them opens."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from itertools import count
from typing import TYPE_CHECKING, cast

import boto3
from moto import mock_aws
from tocsin.adapters.sessions import Sessions
from tocsin.adapters.shared_items import SharedItems
from tocsin.adapters.transactions import Transactions
from tocsin.model import slot

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from tocsin.adapters.sessions import LeasedSession
    from tocsin.adapters.submission import Submission
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.shared_item import SharedItem

SECOND = timedelta(seconds=1)
TABLE = "UnitTestSlots"
_numbers = count(1)


def limited(connections: int) -> MailAccount:
    """An account with so many connections."""
    return account(limits={"connections": connections})


@dataclass(slots=True, kw_only=True)
class FakeSubmission:
    """A connection that knows for whom it was opened, whose mails it took, and how it ended."""

    account: MailAccount
    told: set[str] = field(default_factory=set)
    ended: str | None = None
    slot: str | None = None
    is_open: bool = True
    before_close: Callable[[], None] = lambda: None

    def submit(self, mails: object, *, deadline: float) -> Iterator[FakeSubmission]:
        """Reply with itself."""
        del mails, deadline
        yield self

    def close(self) -> None:
        """Take leave."""
        self.before_close()
        self.ended = "closed"

    def drop(self) -> None:
        """Go without a word."""
        self.ended = "dropped"


@dataclass(slots=True, kw_only=True)
class Lent:
    """What a process was lent: the session, and the connection in it."""

    session: LeasedSession
    account: MailAccount
    submission: FakeSubmission
    leave: Callable[[], None] = lambda: None


@dataclass(slots=True, kw_only=True)
class World:
    """A table of slots, the time, and who came so far."""

    client: DynamoDBClient
    now: datetime = NOW
    calls: int = 0

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[World]:
        """Make the table; its calls are counted."""
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1")
            client.create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            )
            world = cls(client=client)
            client.meta.events.register("before-call.dynamodb", world._count)
            yield world
            client.delete_table(TableName=TABLE)

    @property
    def slots(self) -> SharedItems:
        """The table as sessions see it."""
        return SharedItems(self.client, Transactions(self.client, pause=lambda _: None), TABLE)

    def process(self) -> Process:
        """One more process."""
        return Process(world=self, holder=f"process-{next(_numbers)}")

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds * SECOND

    def read_slots(self, of: MailAccount) -> Sequence[SharedItem]:
        """All slots of the account as they stand."""
        return self.slots.read([slot.slot_key(of, number) for number in range(of.limits.connections)])

    def leased_slots(self) -> dict[str, str]:
        """Who has which slot now."""
        keys = [item["pk"]["S"] for item in self.client.scan(TableName=TABLE)["Items"]]
        items = self.slots.read(keys) if keys else []
        return {item.key: item.document["holder"] for item in items if slot.lives(item, self.now)}

    def write(self, items: Sequence[SharedItem]) -> None:
        """Write slots as a journal would."""
        assert self.slots.write(items) == [*items]

    def take(self, key: str, *, for_process: Process) -> str:
        """Let a process have a slot for the next minute, whosever it was."""
        [item] = self.slots.read([key])
        self.write([slot.leased(item, for_process.holder, self.now + 60 * SECOND)])
        return key

    def forget_slots(self) -> None:
        """Begin anew."""
        for item in self.client.scan(TableName=TABLE)["Items"]:
            self.client.delete_item(TableName=TABLE, Key={"pk": item["pk"]})
        self.now = NOW.astimezone(UTC)

    def _count(self, **_: object) -> None:
        self.calls += 1


class Process:
    """A process with sessions of its own. `opened` are the connections it opened, in order."""

    def __init__(self, *, world: World, holder: str) -> None:
        self.world = world
        self.holder = holder
        self.opened: list[FakeSubmission] = []
        self.most_open = 0
        self.before_waiting: Callable[[], None] = lambda: None
        self.sessions = Sessions(
            self._open,
            world.slots,
            holder=holder,
            connections=lambda of: of.limits.connections,
            clock=lambda: world.now,
            monotonic=self._monotonic,
        )

    @property
    def open_now(self) -> int:
        """How many connections did not end."""
        return sum(submission.ended is None for submission in self.opened)

    @contextmanager
    def lent(
        self,
        to: MailAccount,
        *,
        known: Sequence[SharedItem] | None = None,
        deadline: float | None = None,
        leaves_one: bool = False,
    ) -> Iterator[Lent]:
        """Be lent a session of the account, `known` being its first ten slots; nothing is written yet."""
        items = self.world.read_slots(to)[:10] if known is None else known
        deadline = time.monotonic() + 30 if deadline is None else deadline
        with self.sessions.lease(to, None, known=items, deadline=deadline, leaves_one=leaves_one) as session:
            yield Lent(session=session, account=to, submission=_inside(session))

    @contextmanager
    def leased(
        self,
        to: MailAccount,
        *,
        known: Sequence[SharedItem] | None = None,
        deadline: float | None = None,
        leaves_one: bool = False,
        for_seconds: float = 60,
    ) -> Iterator[Lent]:
        """Be lent a session and hold its slot, as a window does before it submits."""
        with self.lent(to, known=known, deadline=deadline, leaves_one=leaves_one) as lent:
            self.hold(lent.session, for_seconds=for_seconds)
            yield lent

    def enter(self, to: MailAccount, *, for_seconds: float) -> Lent:
        """Hold a session's slot until `leave`."""
        leased = self.leased(to, for_seconds=for_seconds)
        lent = leased.__enter__()
        lent.leave = lambda: cast("None", leased.__exit__(None, None, None))
        return lent

    def leave(self, lent: Lent) -> None:
        """Give a session back."""
        lent.leave()

    def submit(self, to: MailAccount, *, for_seconds: float = 60, kept_open: bool = False) -> None:
        """Hold a session for as long as a mail takes; `kept_open`: and say that it stays open."""
        with self.leased(to, for_seconds=for_seconds) as lent:
            inside = lent.submission
            inside.told.add(to.model_dump_json())
            inside.slot = self.slot_of(lent)
            staying = lent.session.kept_open() if kept_open else None
            if staying is not None:
                self.world.write([staying])
                lent.session.learn([staying])

    def hold(self, session: LeasedSession, *, for_seconds: float = 60) -> None:
        """Write the session's slot, moving on where it is lost."""
        until = self.world.now + for_seconds * SECOND
        while not self.world.slots.write([wanted := session.held_until(until)]):
            session.learn(self.world.slots.read([wanted.key]))
        session.learn([wanted])

    def slot_of(self, lent: Lent) -> str:
        """The slot that a session is in."""
        return lent.session.held_until(self.world.now).key

    def slots_of(self, of: MailAccount) -> dict[str, str]:
        """The account's slots that somebody has."""
        keys = {slot.slot_key(of, number) for number in range(of.limits.connections)}
        return {key: holder for key, holder in self.world.leased_slots().items() if key in keys}

    def _monotonic(self) -> float:
        """The time; a caller asks for it when it is about to wait, and nobody can come in between."""
        self.before_waiting()
        return time.monotonic()

    def _open(self, to: MailAccount, credential: Credential | None) -> Submission:
        del credential
        self.opened.append(FakeSubmission(account=to))
        self.most_open = max(self.most_open, self.open_now)
        return cast("Submission", self.opened[-1])


def _inside(session: LeasedSession) -> FakeSubmission:
    """The connection that a session submits through."""
    return cast("FakeSubmission", next(session.submit([], deadline=0)))
