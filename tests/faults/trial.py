"""One event, delivered by a function that dies and is invoked again as SQS would, and what came of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
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
        """Nobody is lost, only what was in flight is repeated, and repeats are told by their Message-ID."""
        mails, journal = self.mails(), self.acme.deliveries()
        assert {person for person in people if not mails[person]} == set()
        assert {name: delivery["state"] for name, delivery in journal.items()} == dict.fromkeys(people, "accepted")
        assert {name: number for name, number in mails.items() if number > 1 + self.in_flight[name]} == {}
        assert self.message_ids() == {name: {delivery["message_id"]} for name, delivery in journal.items()}

    def _look_back(self) -> None:
        """Note what the death left, and let time pass until the dead function's leases are over."""
        self.in_flight.update(name for name, state in self.acme.states().items() if state == "submitting")
        client = boto3.client("dynamodb")
        for item in client.scan(TableName="DeliveriesTable", ProjectionExpression="pk, sk")["Items"]:
            if item["sk"] == {"S": "#lease"}:
                client.update_item(
                    TableName="DeliveriesTable",
                    Key=item,
                    UpdateExpression="SET ends_at = :past",
                    ExpressionAttributeValues={":past": {"N": "0"}},
                )


@contextmanager
def begun_trial(stack: Stack, function: Function, passage: Passage, *, tls: bool) -> Iterator[Trial]:
    """A trial on an empty journal. With `tls` the mails are submitted by STARTTLS and AUTH, else in clear text."""
    stack.forget_deliveries()
    stack.messages("BulkQueue")
    with Relay(**LOGIN) if tls else Relay() as relay:
        trial = Trial(stack=stack, function=function, passage=passage, relay=relay)
        trial.acme.changes = _account(passage.port, relay)
        trial.acme.save(None, password="secret" if tls else None)
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
    }
