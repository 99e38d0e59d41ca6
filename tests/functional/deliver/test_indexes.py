"""Every delivery is found by the indexes of DeliveriesTable that it belongs to, and by no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from tests.contract.template import RESOURCES
from tests.functional.deliver.stack import LOGIN, plain
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json

_ANA, _BO = "ana@example.org", "bo@example.org"
_PAST = "2026-01-01T00:00:00.000000Z"
_ALWAYS = {"by_hour", "by_recipient", "by_correlation"}


def _keys(acme: Acme, recipient: str) -> dict[str, str | int]:
    """The partition key under which the API and the schedules look the delivery up, by index."""
    delivery = acme.deliveries()[recipient]
    return {
        "by_hour": f"{acme.id}#{delivery['created_at'][:13]}",
        "by_recipient": f"{acme.id}#{recipient}",
        "by_correlation": f"{acme.id}#incident/7",
        "parked": f"{acme.id}#{acme.account_id}",
        "held": f"{acme.id}#incident#any#{recipient}",
    }


def _event(acme: Acme) -> Json:
    return acme.event(_ANA, _BO, subject="incident/7")


def _found(index: str, attribute: str, key: str | int) -> list[Json]:
    answer = boto3.client("dynamodb").query(
        TableName="DeliveriesTable",
        IndexName=index,
        KeyConditionExpression="#key = :key",
        ExpressionAttributeNames={"#key": attribute},
        ExpressionAttributeValues={":key": {"N" if isinstance(key, int) else "S": str(key)}},
    )
    return [{name: plain(value) for name, value in item.items()} for item in answer["Items"]]


def _indexes() -> dict[str, str]:
    """The template's indexes with the attribute that is their partition key."""
    indexes = RESOURCES["DeliveriesTable"]["Properties"]["GlobalSecondaryIndexes"]
    return {index["IndexName"]: index["KeySchema"][0]["AttributeName"] for index in indexes}


def _in(acme: Acme, recipient: str) -> set[str]:
    """The indexes that the delivery is found by."""
    keys = _keys(acme, recipient)
    found = set()
    for index, attribute in _indexes().items():
        shards = range(16) if index == "due" else [keys[index]]
        items = [item for key in shards for item in _found(index, attribute, key)]
        found |= {index for item in items if item["sk"] == recipient and item["pk"].startswith(f"{acme.id}#")}
    return found


def test_an_accepted_delivery_is_found_by_hour_recipient_and_correlation(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(_event(acme))

    assert (_in(acme, _ANA), _in(acme, _BO)) == (_ALWAYS, _ALWAYS)
    [line] = _found("by_recipient", "project_recipient", f"{acme.id}#{_ANA}")
    shown = ("state", "recipient", "mail_account_id", "attempt", "type")
    assert [line[name] for name in shown] == ["accepted", _ANA, acme.account_id, 1, "incident.created"]
    by_hour = _found("by_hour", "project_hour", _keys(acme, _ANA)["by_hour"])
    assert {item["recipient"] for item in by_hour} == {_ANA, _BO}


def test_a_deferred_delivery_is_found_as_due_until_it_moves_on(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, script={f"rcpt {_ANA}": [Say("450 4.2.1 later")]}) as relay:
        acme.save(relay)
        deliver(_event(acme))
        assert (_in(acme, _ANA), _in(acme, _BO)) == (_ALWAYS | {"due"}, _ALWAYS)
        acme.overwrite(_ANA, retry_at=_PAST)

        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {_ANA: "accepted", _BO: "accepted"}
    assert (_in(acme, _ANA), _in(acme, _BO)) == (_ALWAYS, _ALWAYS)


def test_a_deferred_delivery_that_is_parked_is_no_longer_due(acme: Acme, deliver: Invoke) -> None:
    answers = [Say("450 4.2.1 later"), Say("530 5.7.57 not authenticated")]
    with Relay(**LOGIN, script={f"rcpt {_ANA}": answers}) as relay:
        acme.save(relay)
        deliver(_event(acme))
        acme.overwrite(_ANA, retry_at=_PAST)

        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {_ANA: "parked", _BO: "accepted"}
    assert _in(acme, _ANA) == _ALWAYS | {"parked"}


def test_a_parked_delivery_is_found_by_its_account_until_it_moves_on(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN, script={f"rcpt {_ANA}": [Say("530 5.7.57 not authenticated")]}) as relay:
        acme.save(relay)
        deliver(_event(acme))
        assert acme.states() == {_ANA: "parked", _BO: "parked"}  # the refusal is about the account
        assert (_in(acme, _ANA), _in(acme, _BO)) == (_ALWAYS | {"parked"}, _ALWAYS | {"parked"})
        for recipient in (_ANA, _BO):
            acme.overwrite(recipient, state="queued")  # as an admin's release of what is parked leaves it

        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {_ANA: "accepted", _BO: "accepted"}
    assert (_in(acme, _ANA), _in(acme, _BO)) == (_ALWAYS, _ALWAYS)


def test_a_held_delivery_is_found_by_who_waits_for_the_digest(acme: Acme, deliver: Invoke) -> None:
    acme.project = {"storm_control": {"mails_per_thread": 1}}
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(_event(acme))
        assert _in(acme, _ANA) == _ALWAYS

        deliver(_event(acme))

    assert (_in(acme, _ANA), _in(acme, _BO)) == (_ALWAYS | {"due", "held"}, _ALWAYS | {"due", "held"})
