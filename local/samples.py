"""The samples of `events/notifications/`: publishing them, and knowing what must come of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from itertools import batched
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import idna

from local.engine_process import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.stack import Stack

FOLDER = ROOT / "events" / "notifications"


class PublishingFailed(Exception):
    """An event did not get onto the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One event, as a publisher puts it on the queue."""

    name: str
    event: dict[str, Any]

    @property
    def project_id(self) -> str:
        """The project that is to send."""
        project_id: str = self.event["data"]["project"]["id"]
        return project_id

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every recipient once, as the journal writes addresses: domain as A-label, all in lower case."""
        addresses = (canonical_address(recipient["email"]) for recipient in self.event["data"]["recipients"])
        return tuple(dict.fromkeys(addresses))

    @property
    def journal_key(self) -> str:
        """The partition of the journal that holds the event's deliveries (DESIGN section 5)."""
        digest = sha256(f"{self.event['source']}\n{self.event['id']}".encode()).hexdigest()
        return f"{self.project_id}#{digest}#0"


def read_samples() -> tuple[Sample, ...]:
    """All samples, by name."""
    return tuple(
        Sample(name=path.stem, event=json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.json"))
    )


def publish(samples: Sequence[Sample], stack: Stack) -> None:
    """Put the events on NotificationQueue, as publishers are told to: one message group per project.

    They go in calls of ten, the most that SQS takes, so that few functions are started for them.
    """
    sqs = stack.client("sqs")
    for entries in batched(map(_entry, samples), 10, strict=False):
        answer = sqs.send_message_batch(QueueUrl=stack.outputs["NotificationQueueUrl"], Entries=list(entries))
        if refused := answer.get("Failed"):
            raise PublishingFailed(f"the queue refused {len(refused)} of {len(entries)} events")


def _entry(sample: Sample) -> dict[str, str]:
    return {"Id": uuid4().hex, "MessageBody": json.dumps(sample.event), "MessageGroupId": sample.project_id}


def canonical_address(address: str) -> str:
    """The address as it is compared (DESIGN 4.1)."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part.lower()}@{idna.encode(domain, uts46=True).decode('ascii')}"
