"""Re-drives over HTTP: what an admin chooses goes again, with a life of its own, and it is remembered who did it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.deliveries.conftest import ANA, BO, CY, Admin, deliver_now
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Stack
    from tests.functional.http_api import Json
    from tests.functional.sweep.conftest import Sent

_PAST = "2026-01-01T00:00:00.000000Z"
_REFUSED, _NOT_YOURS = Say("535 5.7.8 no"), Say("553 5.7.1 not your address")
_URL = "/deliveries/redrive"


def _expire(acme: Acme) -> None:
    """Let the stored notification's useful life be over, as the passing of time does."""
    from tocsin.adapters.journal_items import pack, unpack  # noqa: PLC0415  (after the stack is there)

    project_id, key, number = json.loads(acme.pointer()).values()
    name = {"pk": {"S": f"{project_id}#{key}#{number}"}, "sk": {"S": "#notification"}}
    client = boto3.client("dynamodb")
    event = unpack(client.get_item(TableName="DeliveriesTable", Key=name)["Item"]["event"]["B"])
    event["data"]["options"] = {"expires_at": _PAST}
    client.update_item(
        TableName="DeliveriesTable",
        Key=name,
        UpdateExpression="SET event = :event, expires_at = :past",
        ExpressionAttributeValues={":event": {"B": pack(event)}, ":past": {"S": _PAST}},
    )


def _audit(admin: Admin) -> list[Json]:
    items: list[Json] = admin("GET", "/audit").json["items"]
    return items


def test_what_is_parked_goes_again_with_its_message_id_and_says_who_wanted_it(
    acme: Acme, deliver: Invoke, admin: Admin
) -> None:
    with Relay(**LOGIN, script={"mail": [_NOT_YOURS]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))
        before = acme.deliveries()

        answer = admin("POST", _URL, {"states": ["parked"], "mail_account_id": acme.account_id})
        assert (answer.status, answer.json) == (200, {"redriven": 2, "looked_at": 2, "cursor": None})
        assert acme.states() == {ANA: "queued", BO: "queued"}
        deliver_now(acme, deliver, ANA, BO)

        assert acme.states() == {ANA: "accepted", BO: "accepted"}
    story = admin.story(ANA)
    assert story["message_id"] == before[ANA]["message_id"]
    assert [(line["state"], line["redriven_by"]) for line in story["log"]] == [
        ("parked", None),
        ("queued", "admin-1"),
        ("accepted", None),
    ]


def test_one_message_follows_for_all_of_a_chunk(acme: Acme, deliver: Invoke, admin: Admin, sent: Sent) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))

        admin("POST", _URL, {"states": ["parked"]})

    assert [0 < seconds <= 5 for seconds in sent(acme)] == [True]


def test_an_expired_delivery_that_is_re_driven_lives_anew_and_is_sent(
    stack: Stack, acme: Acme, deliver: Invoke, admin: Admin
) -> None:
    with Relay(**LOGIN, script={f"rcpt {ANA}": [Say("452 4.2.2 full"), Say("452 4.2.2 full")]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))
        _expire(acme)
        deliver_now(acme, deliver, ANA)
        assert acme.states() == {ANA: "expired"}

        begun = datetime.now(UTC)
        assert admin("POST", _URL, {"states": ["expired"]}).json["redriven"] == 1
        lives_until = datetime.fromisoformat(admin.story(ANA)["expires_at"])
        assert timedelta(0) <= lives_until - begun - timedelta(hours=6) < timedelta(minutes=1)
        deliver_now(acme, deliver, ANA)
        assert acme.states() == {ANA: "deferred"}  # it is tried, and waits, as a new one does
        assert datetime.fromisoformat(acme.deliveries()[ANA]["retry_at"]) > begun
        deliver_now(acme, deliver, ANA)

        assert acme.states() == {ANA: "accepted"}
    told = [event["detail-type"] for event in stack.events()]
    assert told == ["delivery.deferred", "delivery.expired", "delivery.deferred", "delivery.accepted"]


def test_a_new_life_ends_as_well(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    with Relay(**LOGIN, script={f"rcpt {ANA}": Say("452 4.2.2 full")}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))
        _expire(acme)
        deliver_now(acme, deliver, ANA)
        admin("POST", _URL, {"states": ["expired"]})
        deliver_now(acme, deliver, ANA)
        acme.overwrite(ANA, revived_at=(datetime.now(UTC) - timedelta(hours=7)).isoformat())

        deliver_now(acme, deliver, ANA)

    assert acme.states() == {ANA: "expired"}


def test_what_was_refused_goes_again_when_an_admin_wants_it(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    with Relay(**LOGIN, script={f"rcpt {ANA}": [Say("550 5.1.1 who?")]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))
        _expire(acme)

        assert admin("POST", _URL, {"states": ["refused", "expired"]}).json["redriven"] == 1
        deliver_now(acme, deliver, ANA)

    assert acme.states() == {ANA: "accepted", BO: "accepted"}


def test_an_unknown_outcome_is_submitted_once_more(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    with Relay(**LOGIN, script={"content": [Close()]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, type="status_page.incident_created", data=_status_page(acme)))
        assert acme.states() == {ANA: "unknown"}

        assert admin("POST", _URL, {"states": ["unknown"]}).json["redriven"] == 1
        deliver_now(acme, deliver, ANA)

    assert acme.states() == {ANA: "accepted"}


def _status_page(acme: Acme) -> Json:
    data: Json = acme.event(ANA)["data"]
    return data | {"status_page": {"id": "1", "name": "Acme status"}}


@pytest.mark.parametrize(
    ("chosen", "goes"),
    [
        ({"states": ["parked"]}, [ANA, BO]),
        ({"states": ["refused"]}, []),
        ({"states": ["parked", "refused"], "recipient": "ANA@example.org"}, [ANA]),
        ({"states": ["parked"], "type": "alert"}, []),
        ({"states": ["parked"], "to": "2026-01-01T00:00:00Z"}, []),
        ({"states": ["parked"], "mail_account_id": "none"}, []),
        ({"states": ["parked"], "correlation": "incident/none"}, []),
    ],
)
def test_only_what_is_chosen_goes(acme: Acme, deliver: Invoke, admin: Admin, chosen: Json, goes: list[str]) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))

    assert admin("POST", _URL, chosen).json["redriven"] == len(goes)
    assert sorted(recipient for recipient, state in acme.states().items() if state == "queued") == goes


@pytest.mark.parametrize(("chosen", "goes"), [("alert", []), ("incident", [ANA, BO]), ("incident.created", [ANA, BO])])
def test_of_what_is_parked_for_an_account_only_the_type_that_is_chosen_goes(
    acme: Acme, deliver: Invoke, admin: Admin, chosen: str, goes: list[str]
) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))

    wanted = {"states": ["parked"], "mail_account_id": acme.account_id, "type": chosen}
    assert admin("POST", _URL, wanted).json["redriven"] == len(goes)
    assert sorted(recipient for recipient, state in acme.states().items() if state == "queued") == goes


def test_deliveries_are_chosen_by_their_ids_and_only_the_project_s_own(
    acme: Acme, deliver: Invoke, admin: Admin
) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO, CY))
    ids = [row["delivery_id"] for row in admin.listed() if row["recipient"] != CY]
    other = Acme()
    other.save(None)

    body = {"states": ["parked"], "delivery_ids": [*ids, ids[0], "x", f"{'0' * 64}-0-{'0' * 16}"]}
    assert Admin(other.id, f"{other.id}:admin")("POST", _URL, body).json == {
        "redriven": 0,
        "looked_at": 0,
        "cursor": None,
    }
    assert admin("POST", _URL, body).json == {"redriven": 2, "looked_at": 2, "cursor": None}
    assert acme.states() == {ANA: "queued", BO: "queued", CY: "parked"}


def test_it_is_remembered_who_re_drove_what_and_how_many(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))

    admin("POST", _URL, {"states": ["parked"], "mail_account_id": acme.account_id})

    [entry] = _audit(admin)
    assert (entry["admin"], entry["action"]) == ("admin-1", "deliveries.redriven")
    details = entry["details"]
    assert {name: details[name] for name in ("states", "mail_account_id", "redriven", "looked_at")} == {
        "states": ["parked"],
        "mail_account_id": acme.account_id,
        "redriven": 2,
        "looked_at": 2,
    }


def test_a_viewer_sends_nothing_again(acme: Acme, deliver: Invoke, viewer: Admin) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))

    assert viewer("POST", _URL, {"states": ["parked"]}).status == 403
    assert (acme.states(), _audit(viewer)) == ({ANA: "parked"}, [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "states"),
        ({"states": []}, "states"),
        ({"states": ["accepted"]}, "states.0"),
        ({"states": ["parked"], "delivery_ids": []}, "delivery_ids"),
        ({"states": ["parked"], "delivery_ids": ["x"] * 101}, "delivery_ids"),
        ({"states": ["parked"], "delivery_ids": ["x"], "type": "incident"}, "(body)"),
        ({"states": ["parked"], "from": "2026-01-01T00:00:00"}, "from"),
        ({"states": ["parked"], "state": "refused"}, "state"),
        ({"states": ["parked"], "cursor": "x"}, "cursor"),
    ],
)
def test_a_request_that_says_too_little_or_too_much_is_refused(
    acme: Acme, admin: Admin, body: Json, field: str
) -> None:
    acme.save(None)

    answer = admin("POST", _URL, body)

    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


def test_a_long_re_drive_goes_on_with_its_cursor(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    with Relay(**LOGIN, script={"auth": [_REFUSED]}) as relay:
        acme.save(relay)
        deliver(acme.event(ANA, BO))
    for days, recipient in ((1, ANA), (9, BO)):
        at = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        acme.overwrite(recipient, created_at=at, project_hour=f"{acme.id}#{at[:13]}")
    body: Json = {"states": ["parked"]}

    counts: list[int] = []
    while True:
        done = admin("POST", _URL, body).json
        counts.append(done["redriven"])
        if done["cursor"] is None:
            break
        body["cursor"] = done["cursor"]

    assert (sum(counts), len(counts) > 2) == (2, True)
    assert acme.states() == {ANA: "queued", BO: "queued"}
    assert [entry["details"]["redriven"] for entry in _audit(admin)].count(1) == 2
