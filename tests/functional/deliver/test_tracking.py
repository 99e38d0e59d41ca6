"""Tracked mails cost no call more, and are the same at every attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.test_calls import calls
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections import Counter

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json

__all__ = ["calls"]  # a fixture

ANA, BO = "ana@example.org", "bo@example.org"
BOTH = {"opens": True, "clicks": True}


def _bodies(relay: Relay) -> list[bytes]:
    return [mail.content.partition(b"\r\n\r\n")[2] for mail in relay.mails]


def test_a_tracked_notification_to_one_recipient_costs_no_call_more(acme: Acme, calls: Counter[str]) -> None:
    acme.project = {"tracking": BOTH}
    acme.changes = {"limits": {"connections": 4, "per_minute": 100}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(acme.event(ANA))
        fleet.work_once()
        calls.clear()

        fleet.publish(acme.event(BO))
        fleet.work_once()

        assert calls == {"BatchGetItem": 1, "TransactWriteItems": 2, "PutEvents": 1}
    assert all(b"tocsin.example/t/" in body.replace(b"=\r\n", b"") for body in _bodies(relay))
    assert len(relay.mails) == 2


def test_a_mail_that_is_tried_again_is_the_same_mail(acme: Acme, deliver: Invoke) -> None:
    acme.project = {"tracking": BOTH}
    with Relay(**LOGIN, script={"content": [Say("451 4.3.0 not now")]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))
        acme.overwrite(ANA, retry_at="2026-01-01T00:00:00.000000Z")
        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {ANA: "accepted"}
    first, again = (content.partition(b"\r\n\r\n")[2] for content in relay.contents)
    assert first == again


@pytest.mark.parametrize("project", [{}, {"tracking": {}}, {"tracking": {"opens": False, "clicks": False}}])
def test_a_project_that_does_not_ask_for_it_has_no_address_of_ours_in_its_mails(
    acme: Acme, deliver: Invoke, project: Json
) -> None:
    acme.project = project
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))

    assert len(relay.mails) == 1
    assert not any(b"tocsin.example" in body.replace(b"=\r\n", b"") for body in _bodies(relay))
