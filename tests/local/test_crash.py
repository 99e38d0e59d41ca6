"""A function that is killed in the middle of a batch loses nothing, and repeats only what was in flight."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from local.arrivals import arrivals
from local.samples import publish
from tests.local.events import arrived, new_event
from tests.local.waiting import wait_until
from tests.local.workers import kill_function_workers

if TYPE_CHECKING:
    from local.samples import Sample
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

HELD = "held@example.net"
VISIBILITY_SECONDS = 60
MARGIN_SECONDS = 60


def test_a_crash_loses_nothing_and_repeats_only_what_was_in_flight(local: Local) -> None:
    samples = [
        new_event(f"first-{number}@example.net", HELD if number == 1 else f"second-{number}@example.net")
        for number in range(4)
    ]
    with local.gate.holding(HELD):
        publish(samples, local.stack)
        wait_until(lambda: _mails_to(HELD, local), "the mail whose answer is held back")
        wait_until(lambda: not _waiting_messages(local), "all messages in a function's hands")
        assert kill_function_workers(local.engine.process.pid) > 0
        states = _states(samples, local)
    assert states[HELD] == "submitting"

    wait_until(lambda: arrived(samples, local), "all mails", within_seconds=VISIBILITY_SECONDS + MARGIN_SECONDS)

    in_flight = {recipient for recipient, state in states.items() if state == "submitting"}
    message_ids = _message_ids(states, local)
    repeated = {recipient for recipient, ids in message_ids.items() if len(ids) > 1}
    assert HELD in repeated
    assert repeated <= in_flight
    assert all(len(set(ids)) == 1 for ids in message_ids.values())
    assert all(len(ids) <= 2 for ids in message_ids.values())


def _mails_to(recipient: str, local: Local) -> list[str]:
    return [mail.message_id for mail in local.inbox.mailbox.mails() if mail.rcpt_to == recipient]


def _waiting_messages(local: Local) -> int:
    name = "ApproximateNumberOfMessages"
    queue_url = local.stack.outputs["NotificationQueueUrl"]
    answer = local.stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def _states(samples: list[Sample], local: Local) -> dict[str, str | None]:
    """The journal's word on every recipient: with the function dead, it stays until the messages are visible again."""
    found = arrivals(*samples, stack=local.stack, mailbox=local.inbox.mailbox)
    return {arrival.recipient: arrival.state for arrival in found}


def _message_ids(recipients: dict[str, str | None], local: Local) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for mail in local.inbox.mailbox.mails():
        if mail.rcpt_to in recipients:
            found[mail.rcpt_to].append(mail.message_id)
    return found
