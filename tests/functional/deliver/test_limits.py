"""Over an account's limit means later: never lost, never twice, never more than the limit, and no attempt spent."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.rate import next_month

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Relay

if TYPE_CHECKING:
    from datetime import datetime

    from tests.functional.deliver.stack import Acme

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Watch:
    """Notes when the relay took how many mails."""

    def __init__(self, fleet: Fleet, relay: Relay) -> None:
        self._fleet = fleet
        self._relay = relay
        self._taken: list[datetime] = []
        fleet.queue.before_receive = self._look

    def _look(self) -> None:
        new = len(self._relay.mails) - len(self._taken)
        self._taken += [self._fleet.clock.now] * new

    def most_within(self, length: timedelta) -> int:
        """The most mails in any period of the length."""
        self._look()
        return max(sum(1 for other in self._taken if moment - length < other <= moment) for moment in self._taken)


def _people(number: int) -> list[str]:
    return [f"p{index}@example.org" for index in range(number)]


def _page(acme: Acme, people: list[str]) -> dict[str, Any]:
    """An incident on a status page, for its subscribers."""
    event = acme.event(*people, type="status_page.incident_created")
    event["data"]["status_page"] = {"id": "public", "name": "Acme"}
    return event


def _arrived(relay: Relay) -> Counter[str]:
    return Counter(mail.rcpt_to[0] for mail in relay.mails)


def _ends(acme: Acme) -> set[tuple[str, int]]:
    return {(delivery["state"], delivery["attempt"]) for delivery in acme.deliveries().values()}


def test_a_hundred_at_thirty_a_minute_arrive_within_four_minutes_each_once(acme: Acme) -> None:
    acme.changes = {"limits": {"per_minute": 30}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        watch, begun = Watch(fleet, relay), fleet.clock.now
        fleet.publish(acme.event(*_people(100)))

        fleet.work_until_done()

        assert _arrived(relay) == Counter(_people(100))
        assert watch.most_within(MINUTE) == 30
        assert fleet.clock.now - begun <= timedelta(minutes=4)
        assert _ends(acme) == {("accepted", 1)}
        assert len(fleet.queue.delays) == 3  # nobody came in vain


def test_who_waits_says_so_and_why(acme: Acme) -> None:
    acme.changes = {"limits": {"per_minute": 1}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event("ana@example.org", "bo@example.org"))
        fleet.work_once()

        delivery = acme.deliveries()["bo@example.org"]

    assert (delivery["state"], delivery["attempt"]) == ("deferred", 0)
    assert delivery["log"][-1]["reply"] == {"phase": "settings", "text": "over_limit"}
    assert delivery["log"][-1]["remedy_id"] == "over-limit"
    assert delivery["retry_at"]


def test_workers_side_by_side_never_exceed_the_limit_together_and_lose_nothing(acme: Acme) -> None:
    acme.changes = {"limits": {"per_minute": 10, "connections": 4}}
    with Relay(**LOGIN) as relay, Fleet.of(3) as fleet:
        acme.save(relay)
        watch = Watch(fleet, relay)
        people = _people(24)
        fleet.publish(*(acme.event(*people[start : start + 4]) for start in range(0, 24, 4)))

        fleet.work_until_done()

        assert _arrived(relay) == Counter(people)
        assert watch.most_within(MINUTE) <= 10
        assert _ends(acme) == {("accepted", 1)}


def test_a_page_to_many_does_not_keep_an_incident_waiting(acme: Acme) -> None:
    acme.changes = {"limits": {"per_minute": 5}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(*(_page(acme, _people(25)) for _ in range(2)))
        fleet.work_once()
        assert len(relay.mails) == 5
        published = fleet.clock.now
        fleet.publish(acme.event("ana@example.org"))
        while "ana@example.org" not in _arrived(relay):
            fleet.work_once()

        assert fleet.clock.now - published <= timedelta(seconds=140)
        assert len(relay.mails) <= 16


@pytest.mark.parametrize(
    ("limits", "within", "most"),
    [
        pytest.param({}, MINUTE, 25, id="what-is-left-open-is-as-the-provider-has-it"),
        pytest.param({"per_minute": 7}, MINUTE, 7, id="what-an-admin-set-holds"),
        pytest.param({"per_minute": 1000, "per_day": 12}, DAY, 12, id="a-day"),
    ],
)
def test_the_limits_of_an_account_are_its_own_else_its_providers(
    acme: Acme, limits: dict[str, int], within: timedelta, most: int
) -> None:
    acme.changes = {"provider": "microsoft365", "limits": limits}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        watch = Watch(fleet, relay)
        fleet.publish(_page(acme, _people(28)))
        for _ in range(3):
            fleet.work_once()

        assert watch.most_within(within) == most


def test_what_a_window_claimed_and_did_not_submit_is_there_for_the_next(acme: Acme) -> None:
    acme.changes = {"limits": {"per_minute": 10}}
    with Relay(**LOGIN, script={"rcpt": [None, Close()]}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event(*_people(10)))
        fleet.work_once()  # two mails, and the connection is lost
        fleet.publish(acme.event(*(f"q{index}@example.org" for index in range(10))))
        fleet.work_once()

        assert len(relay.mails) == 1 + 8


# --- The month ---


def _last_error(acme: Acme) -> str | None:
    error = acme.account()["state"].get("last_error")
    return error["text"] if error is not None else None


def test_a_month_warns_once_at_four_fifths_parks_when_it_is_used_up_and_goes_on_in_the_next(acme: Acme) -> None:
    acme.changes = {"limits": {"per_month": 10}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event(*_people(7)))
        fleet.work_once()
        assert _last_error(acme) is None
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()
        assert _last_error(acme) == "month_nearly_used"

        fleet.publish(acme.event("bo@example.org", "cy@example.org", "di@example.org"))
        fleet.work_once()

        assert len(relay.mails) == 10
        parked = acme.deliveries()["di@example.org"]
        assert (parked["state"], parked["attempt"]) == ("parked", 0)
        assert parked["log"][-1]["reply"]["text"] == "month_used_up"
        assert fleet.queue.messages == []

        first = next_month(fleet.clock.now)
        assert acme.marks() == [(acme.account_id, f"{first:%Y-%m-%dT%H:%M:%S.%fZ}")]

        fleet.clock.now = first
        fleet.publish(acme.event("eve@example.org"))
        fleet.work_once()
        assert len(relay.mails) == 11
