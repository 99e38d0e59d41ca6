"""Many workers at one chunk, or at one account's counts, at the same time: all mails go, and each of them once."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Acme

CONFLICT = refused("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
WORKERS = 3


def test_many_who_come_for_one_chunk_mail_it_once(acme: Acme) -> None:
    people = [f"p{number}@example.org" for number in range(15)]
    with Relay(**LOGIN) as relay, Fleet.of(WORKERS) as fleet:
        acme.save(relay)
        event = acme.event(*people)
        fleet.publish(*[event] * 3 * WORKERS)

        fleet.work_until_done()

    assert Counter(mail.rcpt_to[0] for mail in relay.mails) == dict.fromkeys(people, 1)
    assert set(acme.states().values()) == {"accepted"}
    assert set(fleet.errors) <= {"ChunkOwned", "AlreadyStored"}


@pytest.mark.parametrize("conflicts", [0.0, 0.3], ids=["races", "races-and-conflicts"])
def test_many_who_count_for_one_account_lose_nobody_and_keep_its_limit(acme: Acme, conflicts: float) -> None:
    chance = random.Random(7)  # noqa: S311  (no secret: it is to be repeated)
    people = [f"p{number}@example.org" for number in range(15)]
    acme.changes = {"limits": {"connections": 10, "per_minute": 5}}
    sent_in: Counter[float] = Counter()
    with Relay(**LOGIN) as relay, Fleet.of(WORKERS) as fleet:
        acme.save(relay)
        fleet.publish(*(acme.event(person) for person in people))
        afflicted = trouble_with_aws(
            CONFLICT, at=lambda call: call.name == "TransactWriteItems" and chance.random() < conflicts
        )
        with afflicted:
            while fleet.queue.messages:
                before = len(relay.mails)
                fleet.work_together()
                sent_in[fleet.clock.monotonic()] += len(relay.mails) - before

    assert Counter(mail.rcpt_to[0] for mail in relay.mails) == dict.fromkeys(people, 1)
    assert max(sum(n for at, n in sent_in.items() if 0 <= end - at < 60) for end in sent_in) <= 5
