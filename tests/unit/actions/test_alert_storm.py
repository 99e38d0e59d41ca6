"""A storm of 5,000 alerts becomes a handful of mails a person, and nobody's delivery is left without an end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tocsin.model.delivery import State

from tests.unit.actions.storm_world import StormWorld
from tests.unit.model.examples import NOW, account, event, settings

_ANA = "ana@example.org"
_AT_ONCE = 20


def _storm(events: int, *, threads: int, lasting: timedelta) -> StormWorld:
    """What becomes of so many events about so many alerts."""
    world = StormWorld(settings_now=settings(account(), routes={"alert": ["first"]}))
    for number in range(events):
        alert = {"id": str(number % threads), "title": f"Alert {number % threads}"}
        data = event()["data"] | {"alert": alert, "recipients": [{"email": _ANA}]}
        one = event("alert.created", id=f"alert-{number}", data=data)
        world.publish(one, at=NOW + lasting * number / events)
    world.work()
    return world


@pytest.mark.parametrize(
    ("events", "threads", "minutes", "at_once", "digests"),
    [
        pytest.param(5000, 5000, 5, _AT_ONCE, 1, id="of-5000-alerts"),
        pytest.param(500, 1, 5, 10, 1, id="about-one-alert"),
        pytest.param(500, 500, 25, 3 * _AT_ONCE, 3, id="that-lasts-for-three-windows"),
    ],
)
def test_a_storm_becomes_a_handful_of_mails(
    events: int, threads: int, minutes: int, at_once: int, digests: int
) -> None:
    world = _storm(events, threads=threads, lasting=timedelta(minutes=minutes))

    assert world.sent[_ANA] == {"alert.created": at_once, "delivery.digest": digests}
    assert len(world.relay.told) == at_once + digests
    assert world.states() == {State.ACCEPTED: at_once, State.SUPPRESSED: events - at_once}
    assert sum(digest["count"] for digest in world.digests) == events - at_once


@pytest.mark.parametrize("people", [20, 21])  # which is more than are counted in one write with their mails
def test_an_event_that_comes_again_and_again_counts_once(people: int) -> None:
    world = StormWorld(settings_now=settings(account(), routes={"alert": ["first"]}))
    data = event()["data"] | {"recipients": [{"email": f"p{number}@example.org"} for number in range(people)]}
    for number in range(10):
        world.publish(event("alert.created", data=data), at=NOW + timedelta(seconds=number))
    world.publish(event("alert.created", id="another", data=data), at=NOW + timedelta(seconds=10))

    world.work()

    assert world.states() == {State.ACCEPTED: 2 * people}
