"""A storm on the local engine, in windows of seconds: with the roles and the indexes that the template gives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.samples import publish
from tests.local.events import new_event
from tests.local.projects import save_project
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from local.samples import Sample
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

PROJECT_ID = "storm"
ACCOUNT_ID = "01JD7W5K2M4P6R8T0V2X4STORM"
PERSON = "stormy@example.net"
EVENTS = 5
SECONDS = 120  # the window, half a minute at most until the digest, and its way through the queues


def test_what_a_storm_held_back_comes_in_a_digest(local: Local) -> None:
    _save_project(local)
    samples = [_of_one_thread() for _ in range(EVENTS)]
    publish(samples, local.stack)

    wait_until(lambda: _ended(samples, local) == EVENTS, "the end of all", within_seconds=SECONDS)
    states = _states(samples, local)
    wait_until(lambda: _told(local) == states["suppressed"], "a digest of all that was held")

    assert states["suppressed"] > 0
    assert len(_subjects(local)) == states["accepted"] + len(_digests(local))


def _of_one_thread() -> Sample:
    sample = new_event(PERSON, type_="alert.created")
    sample.event["data"]["project"] = {"id": PROJECT_ID}
    sample.event["data"]["alert"] |= {"kind": "major", "severity": "major"}
    return sample


def _subjects(local: Local) -> list[str]:
    return [mail.subject for mail in local.inbox.mailbox.mails() if mail.rcpt_to == PERSON]


def _digests(local: Local) -> list[str]:
    return [subject for subject in _subjects(local) if subject.startswith("[Digest]")]


def _told(local: Local) -> int:
    """Of how many notifications the digests tell."""
    return sum(int(subject.split()[1]) for subject in _digests(local))


def _ended(samples: list[Sample], local: Local) -> int:
    states = _states(samples, local)
    return states["accepted"] + states["suppressed"]


def _states(samples: list[Sample], local: Local) -> Counter[str]:
    table = local.stack.table("DeliveriesTable")
    found = [table.get_item(Key={"pk": sample.journal_key, "sk": PERSON}).get("Item") for sample in samples]
    return Counter(str(item["state"]) for item in found if item is not None)


def _save_project(local: Local) -> None:
    """A project that allows one mail of a thread in ten seconds; the API allows no window of less than a minute."""
    control = {"window_seconds": 10, "mails_per_thread": 1}
    project = {"routes": {"alert": [ACCOUNT_ID]}, "storm_control": control}
    save_project(local, PROJECT_ID, ACCOUNT_ID, project=project, limits={})
