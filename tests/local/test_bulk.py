"""One event for a whole list of recipients: it is cut, and everybody gets one mail. `--full`: a hundred thousand."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.samples import publish
from tests.local.conftest import running_local
from tests.local.lists import event_for, states
from tests.local.projects import save_project
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local.conftest import Local

pytestmark = pytest.mark.local

PROJECT_ID = "bulk"
ACCOUNT_ID = "01JD7W5K2M4P6R8T0V2X4ZBULK"
CONNECTIONS = 8
RECIPIENTS, RECIPIENTS_OF_FULL = 1_500, 100_000
SECONDS, SECONDS_OF_FULL = 300, 14_400
FULL = {"DeliverTimeout": "60", "QueueVisibilityTimeout": "360"}
"""As in the cloud: the short times of this machine's stacks are for tests that wait for a crash."""


@pytest.fixture
def any_local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Local]:
    """The stack that all tests share; in the long form one of its own."""
    if not request.config.getoption("--full"):
        yield request.getfixturevalue("local")
        return
    request.getfixturevalue("built")
    with running_local(tmp_path, parameters=FULL) as local:
        yield local


def test_everybody_on_a_list_gets_one_mail(any_local: Local, pytestconfig: pytest.Config) -> None:
    is_full, local = pytestconfig.getoption("--full"), any_local
    people = [f"reader-{number}@bulk.example" for number in range(RECIPIENTS_OF_FULL if is_full else RECIPIENTS)]
    routes = {"incident": [ACCOUNT_ID]}
    save_project(local, PROJECT_ID, ACCOUNT_ID, project={"routes": routes}, limits={"connections": CONNECTIONS})
    sample = event_for(people, PROJECT_ID, local)
    begun = time.monotonic()
    publish([sample], local.stack)

    seconds = SECONDS_OF_FULL if is_full else SECONDS
    wait_until(lambda: len(_mails(local)) >= len(people), "all mails", within_seconds=seconds)
    print(f"{len(people)} mails in {time.monotonic() - begun:.0f} s")  # noqa: T201  (`-s` shows it)
    wait_until(lambda: not _messages_left(local), "no message left", within_seconds=60)

    assert _mails(local) == dict.fromkeys(people, 1)
    assert states(sample, local) == dict.fromkeys(people, "accepted")


def _mails(local: Local) -> Counter[str]:
    """How many mails each reader got. The stack's other tests write to other people."""
    return Counter(mail.rcpt_to for mail in local.inbox.mailbox.mails() if mail.rcpt_to.endswith("@bulk.example"))


def _messages_left(local: Local) -> int:
    """How many messages of the stack's queues are waiting, delayed or in a function's hands."""
    kinds = ("", "NotVisible", "Delayed")
    names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
    urls = [local.stack.outputs["NotificationQueueUrl"], local.stack.resources["BulkQueue"]]
    sqs = local.stack.client("sqs")
    answers = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
    return sum(int(number) for answer in answers for number in answer.values())
