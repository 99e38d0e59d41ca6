"""One event, delivered by a function that dies and is invoked again as SQS would, and what came of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Any

import boto3

from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.faults.death import Death
    from tests.faults.function import Function, Invocation
    from tests.faults.passage import Passage
    from tests.functional.deliver.stack import Stack

_TRIES = 6
_PAST = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
_LIMITS = {"per_minute": 1000, "per_day": 10_000, "per_month": 100_000}
_KEPT_OPEN, _CLOSED_AT_ONCE = 4, 2  # connections


@dataclass(slots=True, kw_only=True)
class Trial:
    """A project whose mails go through the passage to a recording relay.

    `in_flight` counts, by recipient, the deaths that found it `submitting`.
    """

    stack: Stack
    function: Function
    passage: Passage
    relay: Relay
    acme: Acme = field(default_factory=Acme)
    in_flight: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)

    def deliver(self, body: str, deaths: Sequence[Death] = (), *, queue: str = "NotificationQueue") -> list[Invocation]:
        """Deliver a message until the function acknowledges it; the first invocations die these deaths."""
        done: list[Invocation] = []
        while not done or not done[-1].acknowledged:
            assert len(done) < _TRIES, "it is never acknowledged"
            death = deaths[len(done)] if len(done) < len(deaths) else None
            done.append(self.invoke(body, death, queue=queue))
        return done

    def invoke(self, body: str, death: Death | None, *, queue: str = "NotificationQueue") -> Invocation:
        """Have the function handle a message once."""
        self.received[body] += 1
        self.passage.lead_to(self.relay.port, death, self.function.kill)
        record = {
            "messageId": "message",
            "receiptHandle": "handle",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(self.received[body])},
            "eventSourceARN": self.stack.arn(queue),
        }
        invocation = self.function.invoke({"Records": [record]}, death)
        self.passage.settle()
        if invocation.died:
            self._look_back()
        return invocation

    def mails(self) -> Counter[str]:
        """How many mails each recipient was sent. One that came without its reply being taken counts as well."""
        assert len(self.relay.contents) == len(self.relay.mails)
        return Counter(mail.rcpt_to[0] for mail in self.relay.mails)

    def message_ids(self) -> dict[str, set[str]]:
        """The Message-IDs that each recipient saw."""
        found: dict[str, set[str]] = defaultdict(set)
        for mail in self.relay.mails:
            found[mail.rcpt_to[0]].add(BytesHeaderParser().parsebytes(mail.content)["Message-ID"])
        return found

    def check(self, people: Sequence[str]) -> None:
        """Nobody is lost, only what was in flight is repeated, and repeats are told by their Message-ID.

        Every mail counts against the account's limits, and its breaker is closed in the end.
        """
        mails, journal = self.mails(), self.acme.deliveries()
        assert {person for person in people if not mails[person]} == set()
        assert {name: delivery["state"] for name, delivery in journal.items()} == dict.fromkeys(people, "accepted")
        assert {name: number for name, number in mails.items() if number > 1 + self.in_flight[name]} == {}
        assert self.message_ids() == {name: {delivery["message_id"]} for name, delivery in journal.items()}
        assert mails.total() <= sum(self._shared("rate")["day"].values()) <= len(people) + self.in_flight.total()
        assert self._shared("breaker") == {}

    def half_open_the_breaker(self) -> None:
        """Let the account have failed some time ago, so that the next one who submits is the one who probes."""
        last = {"phase": "connect", "text": "timed out", "failure_class": "network", "remedy_id": "x", "remedy": "x"}
        document = {"failures": 3, "pauses": 1, "open_until": _PAST, "last": last}
        key = self._key("breaker")
        item = {"pk": {"S": key}, "version": {"N": "1"}, "document": {"S": json.dumps(document)}}
        boto3.client("dynamodb").put_item(TableName="EphemeralTable", Item=item)

    def _look_back(self) -> None:
        """Note what the death left, and let time pass until the dead function's leases and its probe are over."""
        self.in_flight.update(name for name, state in self.acme.states().items() if state == "submitting")
        for number in range(_KEPT_OPEN):
            self._let_pass(f"slot#{number}", "ends_at")
        self._let_pass("breaker", "open_until")
        client = boto3.client("dynamodb")
        for item in client.scan(TableName="DeliveriesTable", ProjectionExpression="pk, sk")["Items"]:
            if item["sk"] == {"S": "#lease"}:
                client.update_item(
                    TableName="DeliveriesTable",
                    Key=item,
                    UpdateExpression="SET ends_at = :past",
                    ExpressionAttributeValues={":past": {"N": "0"}},
                )

    def _let_pass(self, name: str, moment: str) -> None:
        """Bring a moment that a shared item names into the past; the item's version stays, as nobody wrote it."""
        document = self._shared(name)
        if moment in document:
            boto3.client("dynamodb").update_item(
                TableName="EphemeralTable",
                Key={"pk": {"S": self._key(name)}},
                UpdateExpression="SET document = :document",
                ExpressionAttributeValues={":document": {"S": json.dumps(document | {moment: _PAST})}},
            )

    def _shared(self, name: str) -> dict[str, Any]:
        """What workers share of the account under this name; empty where nothing is written."""
        answer = boto3.client("dynamodb").get_item(TableName="EphemeralTable", Key={"pk": {"S": self._key(name)}})
        document: dict[str, Any] = json.loads(answer["Item"]["document"]["S"]) if "Item" in answer else {}
        return document

    def _key(self, name: str) -> str:
        kind, *number = name.split("#")
        return "#".join((kind, self.acme.id, self.acme.account_id, *number))


@contextmanager
def begun_trial(stack: Stack, function: Function, passage: Passage, *, tls: bool) -> Iterator[Trial]:
    """A trial on an empty journal, of an account with limits.

    With `tls` the mails are submitted by STARTTLS and AUTH, in a session that is kept open, while the account's breaker
    is half open; else in clear text, in a session that is closed at the end.
    """
    stack.forget_deliveries()
    stack.messages("BulkQueue")
    with Relay(**LOGIN) if tls else Relay() as relay:
        trial = Trial(stack=stack, function=function, passage=passage, relay=relay)
        trial.acme.changes = _account(passage.port, relay)
        trial.acme.save(None, password="secret" if tls else None)
        if tls:
            trial.half_open_the_breaker()
        yield trial


def people(number: int) -> list[str]:
    """So many addresses."""
    return [f"p{index}@example.org" for index in range(number)]


def body_of(trial: Trial, recipients: Sequence[str]) -> str:
    """The message of a new incident for these recipients."""
    return json.dumps(trial.acme.event(*recipients))


def _account(port: int, relay: Relay) -> dict[str, Any]:
    tls = relay.security != "none"
    return {
        "relay": {
            "host": "127.0.0.1",
            "port": port,
            "security": relay.security,
            "timeout_seconds": 40,
            "ca_certificate": relay.ca_certificate,
        },
        "auth": {"type": "password", "username": "ops"} if tls else {"type": "none"},
        "limits": {"connections": _KEPT_OPEN if tls else _CLOSED_AT_ONCE, **_LIMITS},
    }
