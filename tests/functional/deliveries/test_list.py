"""The list of deliveries: found by what they are about, newest first, page by page, and each project's own only."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tocsin import wiring

from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.deliveries.conftest import ANA, BO, CY, Admin, deliver_now
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Stack

_NEXT = "01JD7Z0000000000000000NEXT"


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that knows nobody called bo, and has no room for cy just now."""
    script = {"rcpt bo@example.org": Say("550 5.1.1 who?"), "rcpt cy@example.org": Say("452 4.2.2 mailbox full")}
    with Relay(**LOGIN, script=script) as relay:
        yield relay


def _at(acme: Acme, recipient: str, moment: datetime) -> None:
    """Let a delivery have been first written at another time."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    acme.overwrite(recipient, created_at=text, project_hour=f"{acme.id}#{text[:13]}")


def test_a_row_says_what_became_of_the_mail_and_what_to_do(
    acme: Acme, deliver: Invoke, admin: Admin, relay: Relay
) -> None:
    acme.save(relay)
    deliver(acme.event(ANA, BO, CY))

    rows = {row["recipient"]: row for row in admin.listed()}

    assert {recipient: row["state"] for recipient, row in rows.items()} == acme.states()
    assert rows[ANA]["reply"]["code"] == 250
    assert rows[ANA]["remedy"] is None
    assert {name: rows[BO][name] for name in ("attempt", "type", "mail_account_id", "retry_at")} == {
        "attempt": 1,
        "type": "incident.created",
        "mail_account_id": acme.account_id,
        "retry_at": None,
    }
    assert rows[BO]["reply"] == {"phase": "rcpt", "code": 550, "enhanced": "5.1.1", "text": "5.1.1 who?"}
    assert "address" in rows[BO]["remedy"]
    assert rows[CY]["retry_at"] > rows[CY]["created_at"]


def test_the_ids_are_those_of_the_events_on_the_bus(
    stack: Stack, acme: Acme, deliver: Invoke, admin: Admin, relay: Relay
) -> None:
    acme.save(relay)
    deliver(acme.event(ANA))

    [event] = stack.events()
    [told] = event["detail"]["deliveries"]
    assert [row["delivery_id"] for row in admin.listed()] == [told["delivery_id"]]


def test_what_is_parked_for_an_account_is_found_without_looking_through_the_hours(
    acme: Acme, deliver: Invoke, admin: Admin
) -> None:
    with Relay(**LOGIN, script={"auth": Say("535 5.7.8 no")}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))
    for number, recipient in enumerate((ANA, BO)):
        _at(acme, recipient, datetime.now(UTC) - timedelta(days=20 - number))

    [page] = admin.pages(f"state=parked&mail_account_id={acme.account_id}")

    assert [row["recipient"] for row in page] == [BO, ANA]


def test_what_has_no_account_is_found_as_well(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    acme.project = {"routes": {}}
    acme.save(None)
    deliver(acme.event(ANA))

    assert [row["recipient"] for row in admin.listed("state=parked&mail_account_id=none")] == [ANA]
    assert [row["recipient"] for row in admin.listed("mail_account_id=none")] == [ANA]


def _forget_settings() -> None:
    """Let the 10 s pass that settings may be remembered for."""
    wiring.settings_store.cache_clear()
    wiring.receive.cache_clear()


def test_what_is_parked_for_want_of_an_account_is_found_so_though_one_had_tried_it(
    acme: Acme, deliver: Invoke, admin: Admin
) -> None:
    with Relay(**LOGIN, script={f"rcpt {ANA}": Say("450 4.2.1 later")}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))
    acme.project = {"routes": {}}
    acme.save(None, password=None)
    _forget_settings()
    deliver_now(acme, deliver, ANA)

    assert [row["recipient"] for row in admin.listed("state=parked&mail_account_id=none")] == [ANA]
    assert [row["recipient"] for row in admin.listed("mail_account_id=none")] == [ANA]


def test_pages_hold_each_delivery_once_newest_first_over_many_hours(
    acme: Acme, deliver: Invoke, admin: Admin, relay: Relay
) -> None:
    acme.save(relay)
    people = [f"p{number}@example.org" for number in range(7)]
    deliver(acme.event(*people))
    for number, recipient in enumerate(people):
        _at(acme, recipient, datetime.now(UTC) - timedelta(hours=40 * (number // 2), minutes=number % 2))

    pages = admin.pages("limit=2")

    assert [row["recipient"] for page in pages for row in page] == people
    assert max(len(page) for page in pages) == 2
    assert [len(page) for page in pages if not page]  # many hours are empty, and a page does so much work at most


def test_deliveries_of_one_moment_are_on_one_page_or_the_next(
    acme: Acme, deliver: Invoke, admin: Admin, relay: Relay
) -> None:
    acme.save(relay)
    people = [f"p{number}@example.org" for number in range(5)]
    deliver(acme.event(*people))
    now = datetime.now(UTC)
    for recipient in people:
        _at(acme, recipient, now)

    pages = admin.pages("limit=2&from=" + quote((now - timedelta(hours=1)).isoformat()))

    assert sorted(row["recipient"] for page in pages for row in page) == people


def test_a_cursor_is_for_one_list_with_its_filters_only(
    acme: Acme, deliver: Invoke, admin: Admin, relay: Relay
) -> None:
    acme.save(relay)
    deliver(acme.event(ANA, BO))
    cursor = admin("GET", "/deliveries?limit=1").json["cursor"]

    assert admin("GET", f"/deliveries?limit=1&cursor={cursor}").status == 200
    assert admin("GET", f"/deliveries?limit=1&state=refused&cursor={cursor}").status == 422
    assert admin("GET", f"/suppressions?cursor={cursor}").status == 422
    other = Acme()
    other.save(None)
    assert Admin(other.id, "*:admin")("GET", f"/deliveries?limit=1&cursor={cursor}").status == 422


def test_nobody_reads_what_another_project_sent(acme: Acme, deliver: Invoke, admin: Admin, relay: Relay) -> None:
    acme.save(relay)
    deliver(acme.event(ANA))
    [row] = admin.listed()
    other = Acme()
    other.save(None)
    stranger = Admin(other.id, f"{other.id}:admin")

    assert stranger.listed() == []
    assert stranger.listed(f"recipient={ANA}") == []
    foreign = stranger("GET", f"/deliveries/{row['delivery_id']}")
    missing = stranger("GET", f"/deliveries/{'0' * 64}-0-{'0' * 16}")
    no_id = stranger("GET", "/deliveries/x")
    assert (foreign.status, foreign.body, foreign.headers) == (404, missing.body, missing.headers)
    assert (no_id.status, no_id.body) == (404, missing.body)


def test_no_row_shows_more_than_it_should(acme: Acme, deliver: Invoke, viewer: Admin, relay: Relay) -> None:
    acme.save(relay)
    deliver(acme.event(ANA))

    [row] = viewer.listed()

    assert "secret" not in json.dumps(row)
