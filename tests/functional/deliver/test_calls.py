"""How many calls to AWS a notification costs, and that settings are none the older for it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.stack import Json

_SERVICES = ("dynamodb", "events", "secretsmanager", "sqs", "s3")
_WHILE = [pytest.param(1, id="at-once"), pytest.param(11, id="after-ten-seconds"), pytest.param(3600, id="much-later")]
_SECOND = "01JD7Z0000000000000SECOND2"


@pytest.fixture
def calls(acme: Acme) -> Iterator[Counter[str]]:
    """The calls to AWS, by operation."""
    del acme
    seen: Counter[str] = Counter()

    def see(model: Any, **_: object) -> None:  # noqa: ANN401  (botocore's model of the operation)
        seen[model.name] += 1

    for service in _SERVICES:
        wiring.client(service).meta.events.register("before-call", see)
    yield seen
    for service in _SERVICES:
        wiring.client(service).meta.events.unregister("before-call", see)


def _deliver(fleet: Fleet, event: Json) -> None:
    fleet.publish(event)
    fleet.work_once()


def _change_project(acme: Acme, **changes: Any) -> None:  # noqa: ANN401  (JSON)
    """Save the project as an admin would."""
    client, key = boto3.client("dynamodb"), {"project_id": {"S": acme.id}, "sk": {"S": "project"}}
    item = client.get_item(TableName="SettingsTable", Key=key)["Item"]
    document = json.loads(item["document"]["S"]) | changes
    version = str(int(item["version"]["N"]) + 1)
    changed: Json = {"version": {"N": version}, "document": {"S": json.dumps(document)}}
    client.put_item(TableName="SettingsTable", Item={**item, **changed})


@pytest.mark.parametrize(
    ("connections", "transactions"),
    [pytest.param(2, 3, id="its-slot-is-given-back"), pytest.param(4, 2, id="its-connection-is-kept")],
)
@pytest.mark.parametrize("seconds", _WHILE)
def test_a_warm_notification_to_one_recipient_costs_five_calls_at_most(
    acme: Acme, calls: Counter[str], connections: int, transactions: int, seconds: int
) -> None:
    acme.changes = {"limits": {"connections": connections, "per_minute": 100}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _deliver(fleet, acme.event("ana@example.org"))
        fleet.clock.pass_seconds(seconds)
        calls.clear()

        _deliver(fleet, acme.event("bo@example.org"))

        assert calls == {"BatchGetItem": 1, "TransactWriteItems": transactions, "PutEvents": 1}
        assert calls.total() <= 5
    assert set(acme.states().values()) == {"accepted"}


def test_a_change_costs_one_read_more_and_holds_at_once(acme: Acme, calls: Counter[str]) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _deliver(fleet, acme.event("ana@example.org"))
        fleet.clock.pass_seconds(11)
        _change_project(acme, routes={})
        calls.clear()

        _deliver(fleet, acme.event("bo@example.org"))

        assert (calls["BatchGetItem"], calls["Query"]) == (2, 1)
        assert acme.states() == {"ana@example.org": "accepted", "bo@example.org": "parked"}


@pytest.mark.parametrize("seconds", _WHILE[1:])
def test_an_account_that_came_meanwhile_is_found_where_it_is_named(acme: Acme, seconds: int) -> None:
    with Relay(**LOGIN) as relay, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        acme.save(relay)
        _deliver(fleet, acme.event("ana@example.org"))
        fleet.clock.pass_seconds(seconds)
        acme.account_id = _SECOND
        acme.save(second)
        named = acme.event("bo@example.org")
        named["data"]["options"] = {"mail_account_id": _SECOND}

        _deliver(fleet, named)

    assert [len(one.mails) for one in (relay, second)] == [1, 1]


def test_an_account_that_can_be_read_again_is_found_before_its_fall_back(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        acme.save(relay)
        acme.add_account(second, _SECOND, "project")
        first = {"project_id": {"S": acme.id}, "sk": {"S": "mail-account#01JD7Z0000000000000000ACME"}}
        item = boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=first)["Item"]
        boto3.client("dynamodb").put_item(TableName="SettingsTable", Item={**item, "document": {"S": "{}"}})
        _deliver(fleet, acme.event("ana@example.org"))
        boto3.client("dynamodb").put_item(TableName="SettingsTable", Item=item)
        fleet.clock.pass_seconds(11)

        _deliver(fleet, acme.event("bo@example.org"))

    assert [len(one.mails) for one in (relay, second)] == [1, 1]


@pytest.mark.parametrize("seconds", _WHILE[1:])
def test_a_project_that_was_deleted_meanwhile_is_unknown(acme: Acme, seconds: int) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _deliver(fleet, acme.event("ana@example.org"))
        fleet.clock.pass_seconds(seconds)
        key = {"project_id": {"S": acme.id}, "sk": {"S": "project"}}
        boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)

        _deliver(fleet, acme.event("bo@example.org"))

    assert acme.states() == {"ana@example.org": "accepted"}


def test_a_route_that_names_an_account_twice_costs_no_more(acme: Acme, calls: Counter[str]) -> None:
    twice = [acme.account_id, acme.account_id]
    acme.project = {"routes": {"incident": twice}, "fallback_policy": "project"}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        _deliver(fleet, acme.event("ana@example.org"))

    assert acme.states() == {"ana@example.org": "accepted"}
    assert calls["BatchGetItem"] == 1
