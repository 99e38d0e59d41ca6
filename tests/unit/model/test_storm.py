"""What may be held, and when a person had mails enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE
from tocsin.model.storm import StormControl, StormCount, StormGroup, may_be_held, thread_of

from tests.unit.compose.mails import sample
from tests.unit.model.examples import NOW, event, notification

CONTROL = StormControl(window_seconds=600, mails_per_thread=3, mails_in_all=5)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("type_", "held"),
    [
        pytest.param("incident.created", True, id="incident"),
        pytest.param("incident.note_posted", True, id="note"),
        pytest.param("incident_episode.created", True, id="incident-episode"),
        pytest.param("alert.created", True, id="alert"),
        pytest.param("alert_episode.item_added", True, id="alert-episode"),
        pytest.param("monitor.status_changed", True, id="monitor"),
        pytest.param("slo.status_changed", True, id="slo"),
        pytest.param("probe.offline", True, id="probe"),
        pytest.param("maintenance.created", True, id="maintenance"),
        pytest.param("incident.acknowledge_request", False, id="asks-to-act"),
        pytest.param("alert_episode.acknowledge_request", False, id="asks-to-act-on-an-episode"),
        pytest.param("on_call.on_call_now", False, id="on-call"),
        pytest.param("status_page.incident_created", False, id="subscribers"),
        pytest.param("status_page.owner_added", False, id="owner-of-a-page"),
        pytest.param("settings.secret_expiring", False, id="admins"),
        pytest.param("delivery.digest", False, id="digest"),
    ],
)
def test_mails_to_owners_may_be_held_and_no_others(type_: str, *, held: bool) -> None:
    whole = sample(type_)
    about = CATALOGUE[type_].about
    if about is not None:
        whole["data"][about] |= {"kind": "major", "severity": "SEV-2"}

    assert may_be_held(check_event(whole)) is held


@pytest.mark.parametrize(
    ("said", "held"),
    [
        pytest.param({"kind": "critical"}, False, id="critical-kind"),
        pytest.param({"severity": "CRITICAL"}, False, id="critical-severity"),
        pytest.param({"kind": "major", "severity": "critical"}, False, id="critical-severity-of-another-kind"),
        pytest.param({"kind": "major"}, True, id="major"),
        pytest.param({"severity": "not critical"}, True, id="a-word-of-their-own"),
        pytest.param({}, True, id="nothing-is-said"),
    ],
)
def test_what_is_critical_is_never_held(said: dict[str, Any], *, held: bool) -> None:
    whole = event("alert.created")
    whole["data"]["alert"] |= said

    assert may_be_held(check_event(whole)) is held


@pytest.mark.parametrize(
    ("threads", "thread", "full"),
    [
        pytest.param([], "a", False, id="nothing-yet"),
        pytest.param(["a"] * 2, "a", False, id="room-for-one-more"),
        pytest.param(["a"] * 3, "a", True, id="a-thread-has-enough"),
        pytest.param(["a"] * 3, "b", False, id="another-thread"),
        pytest.param(["a", "b", "c", "d"], "e", False, id="room-for-one-more-in-all"),
        pytest.param(["a", "b", "c", "d", "e"], "f", True, id="enough-in-all"),
    ],
)
def test_a_person_has_enough_by_thread_and_in_all(threads: list[str], thread: str, *, full: bool) -> None:
    count = StormCount.of({}, CONTROL, NOW)
    for one in threads:
        count = count.counting(one)

    kept = StormCount.of(count.document(), CONTROL, NOW + 599 * SECOND)

    assert kept == count
    assert kept.is_full(thread, CONTROL) is full


@pytest.mark.parametrize(
    ("after", "in_all"),
    [
        pytest.param(0, 1, id="at-once"),
        pytest.param(599, 1, id="just-before-its-end"),
        pytest.param(600, 0, id="at-its-end"),
        pytest.param(86_400, 0, id="long-after"),
        pytest.param(-2, 1, id="by-a-clock-that-is-slow"),
        pytest.param(-600, 0, id="by-a-clock-that-is-wrong"),
    ],
)
def test_a_count_is_of_its_window_only(after: int, in_all: int) -> None:
    document = StormCount.of({}, CONTROL, NOW).counting("a").document()

    assert StormCount.of(document, CONTROL, NOW + after * SECOND).in_all == in_all


def test_what_is_held_comes_back_when_the_window_is_over_and_all_that_it_held_can_be_found() -> None:
    count = StormCount.of({}, CONTROL, NOW)

    assert [count.digest_at(CONTROL, jitter=jitter) - NOW for jitter in (0, 1)] == [610 * SECOND, 630 * SECOND]


def test_no_two_people_projects_routes_or_accounts_share_a_count_or_a_digest() -> None:
    first = notification()
    alert = notification("alert.created")
    named = notification(options={"mail_account_id": "any"})
    elsewhere = check_event(event() | {"data": event()["data"] | {"project": {"id": "acme-2"}}})
    groups = [
        StormGroup.of(first, "ana@example.org"),
        StormGroup.of(first, "bo@example.org"),
        *(StormGroup.of(one, "ana@example.org") for one in (alert, named, elsewhere)),
    ]

    for names in zip(*((one.name, one.counter_key, one.digest_key) for one in groups), strict=True):
        assert len(set(names)) == len(groups)


def test_a_thread_is_what_its_notifications_are_about() -> None:
    created, changed = notification("alert.created"), notification("alert.state_changed")

    assert thread_of(created) == thread_of(changed)
    assert thread_of(created) != thread_of(notification("alert.created", subject="alert/2"))
