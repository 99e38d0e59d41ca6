"""Relays that are odd in the middle of a batch: each delivery's state is true, and all arrive once time has passed."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Flood, Relay, Say, Trickle

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme
    from tests.relay.actions import Script

PEOPLE = tuple(f"p{number}@example.org" for number in range(8))
PAST = "2026-01-01T00:00:00.000000Z"
DRIP = Trickle("250 2.0.0 " + "x" * 60)
QUEUED = Say("250 2.0.0 queued")
ENDS = Say("250 2.0.0 queued", then_close=True)


def let_time_pass(acme: Acme) -> None:
    """Until what was deferred, or is unknown, is due, and the account's breaker lets somebody try."""
    for recipient, delivery in acme.deliveries().items():
        if "retry_at" in delivery:
            acme.overwrite(recipient, retry_at=PAST)
    acme.let_breaker_try()


@pytest.mark.parametrize(
    ("script", "states", "contents"),
    [
        pytest.param({"content": [QUEUED, ENDS] * 9}, {"accepted": 8}, 8, id="closes-after-every-two"),
        pytest.param({"rset": [None, Say("500 5.5.1 what?")]}, {"accepted": 8}, 8, id="knows-no-rset"),
        pytest.param(
            {"rcpt": [None, Say("354 go")], "data": [None, QUEUED]}, {"accepted": 8}, 8, id="answers-out-of-order"
        ),
        pytest.param({"rcpt": Say("250 2.1.5 ok", split=True)}, {"accepted": 8}, 8, id="splits-its-replies"),
        pytest.param(
            {"rcpt": [None] * 3 + [Say("452 4.5.3 too many recipients")] * 9},
            {"accepted": 3, "deferred": 5},
            3,
            id="452-after-three-recipients",
        ),
        pytest.param(
            {"mail": [None, None, Say("421 4.3.2 going down", then_close=True)]},
            {"accepted": 2, "deferred": 6},
            2,
            id="421-in-mid-pipeline",
        ),
        pytest.param(
            {"content": [QUEUED, Close()]}, {"accepted": 1, "unknown": 1, "deferred": 6}, 2, id="drops-before-the-250"
        ),
        pytest.param(
            {"content": [QUEUED, Flood()]}, {"accepted": 1, "unknown": 1, "deferred": 6}, 2, id="floods-for-a-250"
        ),
        pytest.param({"rcpt": [None, Flood(one_line=True)]}, {"accepted": 8}, 8, id="floods-for-a-recipient"),
        pytest.param(
            {"content": [QUEUED, DRIP]}, {"accepted": 1, "unknown": 1, "deferred": 6}, 2, id="drips-for-a-250"
        ),
        pytest.param({"rcpt": [None, DRIP]}, {"accepted": 1, "deferred": 7}, 1, id="drips-for-a-recipient"),
    ],
)
def test_each_delivery_is_in_its_true_state_and_all_arrive_in_time(
    acme: Acme, deliver: Invoke, script: Script, states: dict[str, int], contents: int
) -> None:
    for_a_while = dict(script)
    with Relay(**LOGIN, script=for_a_while) as relay:
        acme.save(relay)
        assert deliver(acme.event(*PEOPLE)) == []
        first = acme.states()
        assert (Counter(first.values()), len(relay.contents)) == (states, contents)

        for_a_while.clear()
        let_time_pass(acme)
        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert acme.states() == dict.fromkeys(PEOPLE, "accepted")
    mails = Counter(message_from_bytes(content)["To"] for content in relay.contents)
    assert mails == {person: 1 + (first[person] == "unknown") for person in PEOPLE}


def test_a_relay_that_breaks_on_pipelining_is_remembered_from_one_event_to_the_next(
    acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN, forgets_ahead=True) as relay:
        acme.save(relay)
        assert deliver(acme.event(*PEOPLE)) == []
        let_time_pass(acme)
        assert deliver(acme.pointer(), queue="BulkQueue") == []
        arrived = len(relay.mails)
        assert deliver(acme.event("ana@example.org", "bo@example.org")) == []

    assert set(acme.states().values()) == {"accepted"}
    assert (arrived, len(relay.mails)) == (8, 10)
    assert not any(relay.behind_contents[arrived:])
