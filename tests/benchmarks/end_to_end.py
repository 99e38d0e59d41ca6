"""End to end on the local engine: from publishing to the mail at the relay, with all parts as they are deployed.

The engine takes most of this time: it is one process that plays SQS, DynamoDB and Lambda, on the same two cores. So the
figures have no goal; they show that a change made the whole slower.
"""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from local.samples import publish
from tests.benchmarks.figures import Figure
from tests.local.conftest import running_local
from tests.local.events import new_event
from tests.local.lists import event_for
from tests.local.projects import save_project
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from local.samples import Sample
    from tests.local.conftest import Local

_PROJECT_ID = "bench"
_ACCOUNT_ID = "01JD7W5K2M4P6R8T0V2X4BENCH"
_CONNECTIONS = 8
_ROUNDS = 5
_ROUNDS_OF_LISTS = 3
_LIST = 1_000
_numbers = count()


def measure() -> list[Figure]:
    """Publish to a stack of its own: one incident at a time to one person, then to a list."""
    with TemporaryDirectory() as folder, running_local(Path(folder)) as local:
        routes = {"incident": [_ACCOUNT_ID]}
        save_project(local, _PROJECT_ID, _ACCOUNT_ID, project={"routes": routes}, limits={"connections": _CONNECTIONS})
        _seconds(_one(), 1, local)  # so that a function is warm
        singles = [_seconds(_one(), 1, local) for _ in range(_ROUNDS)]
        rates = [_LIST / _seconds(_list(local), _LIST, local) for _ in range(_ROUNDS_OF_LISTS)]
    return [
        Figure(name="end_to_end.one_mail", rounds=singles, goal=None, better="lower", unit="seconds"),
        Figure(name="end_to_end.list_of_1000", rounds=rates, goal=None, better="higher", unit="mails a second"),
    ]


def _one() -> Sample:
    sample = new_event(f"on-call-{next(_numbers)}@example.net")
    sample.event["data"]["project"] = {"id": _PROJECT_ID}
    return sample


def _list(local: Local) -> Sample:
    return event_for([f"reader-{next(_numbers)}@example.net" for _ in range(_LIST)], _PROJECT_ID, local)


def _seconds(sample: Sample, mails: int, local: Local) -> float:
    before, begun = len(local.inbox.mailbox.mails()), time.monotonic()
    publish([sample], local.stack)
    wait_until(lambda: len(local.inbox.mailbox.mails()) >= before + mails, f"{mails} mails", poll_seconds=0.01)
    return time.monotonic() - begun
