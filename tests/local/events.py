"""Events of the tests: a sample with an id and recipients of its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING
from uuid import uuid4

from local.arrivals import Arrival, arrivals
from local.samples import Sample, read_samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.local.conftest import Local


def new_event(*recipients: str, type_: str = "incident.created") -> Sample:
    """A sample of this type that nobody has published yet."""
    sample = next(sample for sample in read_samples() if sample.event["type"] == type_)
    event = copy.deepcopy(sample.event)
    event["id"] = uuid4().hex
    if recipients:
        event["data"]["recipients"] = [{"email": recipient} for recipient in recipients]
    return Sample(name=sample.name, event=event)


def arrived(samples: Sequence[Sample], local: Local) -> tuple[Arrival, ...]:
    """What became of every recipient of `samples`, once all are good; else nothing."""
    found = arrivals(*samples, stack=local.stack, mailbox=local.inbox.mailbox)
    return found if all(arrival.is_good for arrival in found) else ()


def messages_left(local: Local) -> int:
    """How many messages NotificationQueue holds, those that a function works on included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue_url = local.stack.outputs["NotificationQueueUrl"]
    answer = local.stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)
