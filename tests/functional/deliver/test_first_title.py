"""The mails of a thread keep the subject of the first one, whatever its object is called later."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.test_calls import calls
from tests.relay import Relay

if TYPE_CHECKING:
    from collections import Counter

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json

__all__ = ["calls"]  # a fixture


def _event(acme: Acme, title: str, *, subject: str = "incident/7", **changes: str) -> Json:
    event = acme.event(subject=subject, **changes)
    event["data"]["incident"] = {"id": "7", "title": title}
    event["data"]["change"] = {"state": "resolved"}
    return event


def _subjects(relay: Relay) -> list[str]:
    return [str(message_from_bytes(mail.content, policy=email.policy.default)["Subject"]) for mail in relay.mails]


def test_a_later_title_changes_no_subject_of_the_thread(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        for title in ("Checkout is down", "Checkout is slow"):
            deliver(_event(acme, title))
        last = _event(acme, "Checkout is fine", type="incident.state_changed")
        last["data"]["incident"]["first_title"] = "Told too late"
        deliver(last)
        deliver(_event(acme, "Login is down", subject="incident/8"))

    assert _subjects(relay) == ["[Incident] Checkout is down"] * 3 + ["[Incident] Login is down"]
    assert b"Checkout is slow" in relay.mails[1].content


def test_a_project_with_descriptive_subjects_keeps_none(acme: Acme, deliver: Invoke) -> None:
    acme.project = {"subject_style": "descriptive"}
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        for title in ("Checkout is down", "Checkout is slow"):
            deliver(_event(acme, title))

    assert "slow" in _subjects(relay)[1]


def test_a_mail_that_never_went_leaves_no_title(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        acme.suppress("ana@example.org")
        deliver(_event(acme, "Nobody saw this"))
        event = _event(acme, "Checkout is down")
        event["data"]["recipients"] = [{"email": "bo@example.org"}]
        deliver(event)

    assert _subjects(relay) == ["[Incident] Checkout is down"]


@pytest.mark.parametrize("is_first", [True, False])
def test_it_costs_no_call(acme: Acme, calls: Counter[str], *, is_first: bool) -> None:
    acme.changes = {"limits": {"connections": 4}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(_event(acme, "Checkout is down"))
        fleet.work_once()
        calls.clear()
        fleet.publish(_event(acme, "Checkout is slow", subject="incident/9" if is_first else "incident/7"))
        fleet.work_once()

    assert calls == {"BatchGetItem": 1, "TransactWriteItems": 2, "PutEvents": 1}
    assert _subjects(relay)[1].endswith("slow" if is_first else "down")
