"""Connections: never more than an account may have, never one too few to finish, and kept only as long as allowed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring
from tocsin.adapters.shared_items import SharedItems
from tocsin.adapters.transactions import Transactions
from tocsin.model import slot

from tests.functional.deliver.fleet import Clock, Fleet
from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke


@pytest.fixture(autouse=True)
def _no_connection_is_left(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Drop at the end what the function kept."""
    del acme
    yield
    clock = Clock()
    clock.pass_seconds(3600)
    monkeypatch.setattr(wiring.sessions(), "clock", clock)
    wiring.sessions().close()


def _save(acme: Acme, relay: Relay, connections: int, **changes: Any) -> None:  # noqa: ANN401  (JSON)
    acme.changes = {"limits": {"connections": connections}} | changes
    acme.save(relay)


def _events(acme: Acme, number: int) -> list[dict[str, Any]]:
    return [acme.event(f"p{index}@example.org") for index in range(number)]


def _leases(acme: Acme) -> dict[str, tuple[str, datetime]]:
    """The project's slots that were ever leased: to whom, until when."""
    items = boto3.client("dynamodb").scan(TableName="EphemeralTable")["Items"]
    slots = {item["pk"]["S"]: json.loads(item["document"]["S"]) for item in items if "document" in item}
    return {
        key: (document["holder"], datetime.fromisoformat(document["ends_at"]))
        for key, document in slots.items()
        if key.startswith(f"{slot.KIND}{acme.id}#")
    }


def _is_leased(acme: Acme, now: datetime) -> bool:
    return any(ends_at > now for _, ends_at in _leases(acme).values())


def _recipients(relay: Relay) -> list[str]:
    return sorted(mail.rcpt_to[0] for mail in relay.mails)


# One process.


def test_an_account_with_many_connections_keeps_its_connection_from_invocation_to_invocation(
    acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN) as relay:
        _save(acme, relay, 4)
        deliver(acme.event("ana@example.org"))
        deliver(acme.event("bo@example.org"))

        assert (relay.connections, relay.commands.count("QUIT")) == (1, 0)
        assert len(relay.mails) == 2

    [(_, ends_at)] = _leases(acme).values()
    left = ends_at - wiring.now()
    assert timedelta(seconds=20) < left <= slot.KEPT_OPEN


def test_an_account_with_few_connections_takes_leave_and_gives_its_slot_back(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        _save(acme, relay, 2)
        deliver(acme.event("ana@example.org"))

        assert relay.commands[-1] == "QUIT"
        assert not _is_leased(acme, wiring.now())

        deliver(acme.event("bo@example.org"))

    assert (relay.connections, relay.commands.count("QUIT")) == (2, 2)


@pytest.mark.parametrize("connections", [1, 2])
def test_a_batch_for_one_account_finishes_within_its_connections(acme: Acme, deliver: Invoke, connections: int) -> None:
    with Relay(**LOGIN) as relay:
        _save(acme, relay, connections)

        assert deliver(*_events(acme, 10)) == []

    assert relay.most_at_once <= connections
    assert relay.connections <= connections  # each carried more than one mail
    assert acme.states() == {f"p{index}@example.org": "accepted" for index in range(10)}
    assert not _is_leased(acme, wiring.now())


@pytest.mark.parametrize(
    ("seconds", "connections"), [pytest.param(29, 1, id="its-slot-lives"), pytest.param(31, 2, id="its-slot-is-over")]
)
def test_a_kept_connection_is_used_again_only_while_its_slot_lives(acme: Acme, seconds: int, connections: int) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 4)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()
        fleet.clock.pass_seconds(seconds)
        fleet.publish(acme.event("bo@example.org"))
        fleet.work_once()

        assert relay.connections == connections
        assert relay.commands.count("QUIT") == 0  # the old one was dropped unused
        assert set(acme.states().values()) == {"accepted"}


def test_a_relay_that_closed_the_kept_connection_meanwhile_costs_nothing(acme: Acme) -> None:
    with Fleet.of(1) as fleet:
        with Relay(**LOGIN, script={"content": [Say("250 2.0.0 queued", then_close=True)]}) as relay:
            _save(acme, relay, 4)
            fleet.publish(acme.event("ana@example.org"))
            fleet.work_once()
            fleet.publish(acme.event("bo@example.org"))
            fleet.work_once()

        assert len(relay.contents) == 2
        assert {delivery["attempt"] for delivery in acme.deliveries().values()} == {1}
        assert set(acme.states().values()) == {"accepted"}


def test_a_connection_that_failed_is_not_kept_and_its_slot_is_given_back(acme: Acme) -> None:
    with Relay(**LOGIN, script={"mail": [Close()]}) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 4)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()

        assert acme.states() == {"ana@example.org": "deferred"}
        assert not _is_leased(acme, fleet.clock.now)

        fleet.work_until_done()

        assert acme.states() == {"ana@example.org": "accepted"}
        assert relay.connections == 2


def test_a_session_whose_login_failed_is_tried_once_a_batch_and_not_kept(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, script={"auth": [Say("454 4.7.0 not now")]}) as relay:
        _save(acme, relay, 4)
        deliver(acme.event("ana@example.org"))
        deliver(acme.event("bo@example.org"))

        assert relay.connections == 2
        assert acme.states() == {"ana@example.org": "deferred", "bo@example.org": "accepted"}


@pytest.mark.parametrize(
    "change",
    [pytest.param({"version": {"N": "2"}}, id="version"), pytest.param({"credential_version": True}, id="credential")],
)
def test_a_change_of_account_or_credential_drops_the_connections_that_were_kept(
    acme: Acme, change: dict[str, Any]
) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 4)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()
        _change(acme, change)
        fleet.clock.pass_seconds(11)
        fleet.publish(acme.event("bo@example.org"))
        fleet.work_once()

        assert relay.connections == 2
        assert set(acme.states().values()) == {"accepted"}
        assert len(_leases(acme)) == 1  # in the same slot


def _change(acme: Acme, change: dict[str, Any]) -> None:
    """Change the account's item, or store its secret once more."""
    if change.get("credential_version"):
        secret = acme.stored_secret()
        secret.pop("version")
        client = boto3.client("secretsmanager")
        name = f"tocsin/test/{acme.id}/{acme.account_id}"
        stored = client.put_secret_value(SecretId=name, SecretString=json.dumps(secret))
        change = {"credential_version": {"S": stored["VersionId"]}}
    [(name, value)] = change.items()
    boto3.client("dynamodb").update_item(
        TableName="SettingsTable",
        Key={"project_id": {"S": acme.id}, "sk": {"S": f"mail-account#{acme.account_id}"}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )


# Many processes.


@pytest.mark.parametrize("connections", [1, 2])
def test_many_processes_keep_to_the_accounts_connections_and_lose_nothing(acme: Acme, connections: int) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(4) as fleet:
        _save(acme, relay, connections)
        fleet.publish(*_events(acme, 24))

        fleet.work_until_done()

        assert relay.most_at_once <= connections
        assert _recipients(relay) == sorted(f"p{index}@example.org" for index in range(24))
        assert {(each["state"], each["attempt"]) for each in acme.deliveries().values()} == {("accepted", 1)}
        assert not _is_leased(acme, fleet.clock.now)
        assert fleet.queue.delays  # some had to come back
        assert min(fleet.queue.delays) >= 5
        assert not fleet.errors


def test_a_delivery_that_finds_all_connections_in_use_comes_back_later_and_spends_no_attempt(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 1)
        _lease_slot(fleet, acme, holder="another", seconds=60)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()

        delivery = acme.deliveries()["ana@example.org"]
        assert (delivery["state"], delivery["attempt"], relay.connections) == ("deferred", 0, 0)
        assert delivery["log"][-1]["reply"]["text"] == "connections_in_use"
        assert min(fleet.queue.delays) >= 5

        fleet.work_until_done()  # the other has crashed, and its slot lapses

        delivery = acme.deliveries()["ana@example.org"]
        assert (delivery["state"], delivery["attempt"], len(relay.mails)) == ("accepted", 1, 1)


def test_a_delivery_that_loses_every_race_comes_back_soon_instead_of_when_its_message_shows_again(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 1)

        def be_quicker(params: dict[str, Any], **_: object) -> None:
            if any("slot#" in str(item) for item in params["TransactItems"]):
                _lease_slot(fleet, acme, holder="another", seconds=-1)

        events = wiring.client("dynamodb").meta.events
        events.register("provide-client-params.dynamodb.TransactWriteItems", be_quicker)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()
        events.unregister("provide-client-params.dynamodb.TransactWriteItems", be_quicker)

        delivery = acme.deliveries()["ana@example.org"]
        assert (delivery["state"], delivery["attempt"], relay.connections) == ("deferred", 0, 0)
        assert 5 <= min(fleet.queue.delays) <= max(fleet.queue.delays) < 10
        assert not fleet.errors

        fleet.work_until_done()
        assert acme.states() == {"ana@example.org": "accepted"}


def test_a_page_waits_where_an_incident_finds_a_connection(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 3)
        for number in (1, 2):
            _lease_slot(fleet, acme, holder="other pages", seconds=60, number=number)
        page = acme.event("page@example.org", type="status_page.incident_created")
        page["data"]["status_page"] = {"id": "public", "name": "Acme"}
        fleet.publish(page)
        fleet.work_once()
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()

        states = {delivery["recipient"]: delivery["state"] for delivery in acme.every_delivery()}
        assert states == {"page@example.org": "deferred", "ana@example.org": "accepted"}
        assert [mail.rcpt_to[0] for mail in relay.mails] == ["ana@example.org"]


@pytest.mark.parametrize(
    ("type_", "longest"), [("incident.created", 10), ("alert.created", 10), ("status_page.incident_created", 90)]
)
def test_an_incident_asks_for_a_connection_every_few_seconds_however_long_it_waits(
    acme: Acme, type_: str, longest: int
) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 1)
        _lease_slot(fleet, acme, holder="another", seconds=400)
        event = acme.event("ana@example.org", type=type_)
        event["data"]["status_page"] = {"id": "public", "name": "Acme"}
        fleet.publish(event)
        fleet.work_until_done()

    assert longest / 2 < max(fleet.queue.delays) <= longest
    assert min(fleet.queue.delays) >= 5
    assert acme.states() == {"ana@example.org": "accepted"}


def test_two_accounts_and_two_projects_take_no_connection_from_each_other(acme: Acme) -> None:
    other = Acme()
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, 1)
        _save(other, relay, 1)
        _lease_slot(fleet, other, holder="another", seconds=60)
        fleet.publish(acme.event("ana@example.org"), other.event("bo@example.org"))
        fleet.work_once()

        assert acme.states() == {"ana@example.org": "accepted"}
        assert other.states() == {"bo@example.org": "deferred"}


def _lease_slot(fleet: Fleet, acme: Acme, *, holder: str, seconds: float, number: int = 0) -> None:
    """Let another process have one of the account's slots."""
    client = boto3.client("dynamodb")
    slots = SharedItems(client, Transactions(client, pause=lambda _: None), "EphemeralTable")
    [item] = slots.read([f"{slot.KIND}{acme.id}#{acme.account_id}#{number}"])
    assert slots.write([slot.leased(item, holder, fleet.clock.now + timedelta(seconds=seconds))])
