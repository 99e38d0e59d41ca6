"""Chunks whose message was lost get a new one, but no more than a few; and an idle sweep is cheap."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring

from tests.functional.deliver.stack import LOGIN
from tests.functional.sweep.conftest import FIRST
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack
    from tests.functional.sweep.conftest import Marks, Sent, Sweep

_ANA, _BO = "ana@example.org", "bo@example.org"
_LATER = Say("450 4.2.1 later")


def _ago(span: timedelta) -> str:
    return (datetime.now(UTC) - span).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_OVERDUE = timedelta(minutes=15, seconds=5)


@pytest.fixture
def deferred(acme: Acme, deliver: Invoke) -> Acme:
    """A project with a chunk of which one delivery is deferred, and whose message nobody receives."""
    with Relay(**LOGIN, script={f"rcpt {_ANA}": [_LATER]}) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA, _BO))
    assert acme.states() == {_ANA: "deferred", _BO: "accepted"}
    return acme


def _lease(acme: Acme, **attributes: int | str) -> None:
    """Write attributes of the chunk's lease item, as time or a crash leaves it."""
    key = json.loads(acme.pointer())
    values: dict[str, Any] = {
        f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in attributes.items()
    }
    boto3.client("dynamodb").update_item(
        TableName="DeliveriesTable",
        Key={"pk": {"S": f"{acme.id}#{key['notification_key']}#0"}, "sk": {"S": "#lease"}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in attributes),
        ExpressionAttributeValues=values,
    )


@pytest.mark.parametrize(
    ("late", "messages"), [(_OVERDUE, [0]), (timedelta(minutes=14), []), (timedelta(minutes=-1), [])], ids=str
)
def test_a_chunk_that_is_overdue_gets_a_new_message(
    deferred: Acme, sweep: Sweep, marks: Marks, sent: Sent, late: timedelta, messages: list[int]
) -> None:
    del marks
    deferred.overwrite(_ANA, retry_at=_ago(late))
    sent.entries.clear()

    assert sweep().get("sent_again", 0) == len(messages)
    assert sent(deferred) == messages


def test_a_chunk_gets_one_message_and_then_ever_fewer(deferred: Acme, sweep: Sweep, marks: Marks) -> None:
    del marks
    deferred.overwrite(_ANA, retry_at=_ago(timedelta(days=1)))

    assert sweep() == {"sent_again": 1}
    assert sweep() == {}
    for minutes in (15, 30, 60):
        until = _swept_until(deferred) / 1000 - datetime.now(UTC).timestamp()
        assert until == pytest.approx(minutes * 60, abs=10)
        _lease(deferred, swept_until=0)
        assert sweep() == {"sent_again": 1}


def _swept_until(acme: Acme) -> int:
    [lease] = [item for item in acme._items() if item["sk"]["S"] == "#lease"]  # noqa: SLF001  (the one that is no delivery)
    return int(lease["swept_until"]["N"])


def test_a_chunk_that_somebody_works_on_gets_none(deferred: Acme, sweep: Sweep, marks: Marks) -> None:
    del marks
    deferred.overwrite(_ANA, retry_at=_ago(_OVERDUE))
    deferred.own_chunk()

    assert sweep() == {}


def test_what_a_dead_function_left_in_flight_is_found_though_its_message_is_lost(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, sent: Sent
) -> None:
    del marks
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))
        acme.overwrite(_ANA, state="submitting")
        died = datetime.now(UTC) - _OVERDUE
        _lease(acme, ends_at=int(died.timestamp() * 1000), retry_at=_ago(_OVERDUE), due_shard=7)

        assert sweep() == {"sent_again": 1}
        assert sent(acme)[-1] == 0
        deliver(acme.pointer(), queue="BulkQueue")

        assert acme.states() == {_ANA: "accepted"}
        assert len(relay.mails) == 2
        _lease(acme, swept_until=0)
        assert sweep() == {}


def test_a_chunk_is_found_while_somebody_owns_it_and_no_longer_when_it_is_given_back(
    acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN, script={f"rcpt {_ANA}": [_LATER]}) as relay:
        relay_saw: list[set[str]] = []
        acme.save(relay)
        client = wiring.client("dynamodb")

        def look(params: dict[str, Any], **_: object) -> None:
            body = json.loads(params["body"])
            for write in body["TransactItems"]:
                update = write.get("Update", {})
                if update.get("Key", {}).get("sk", {}).get("S") == "#lease":
                    relay_saw.append({word for word in ("SET", "REMOVE") if f"{word} " in update["UpdateExpression"]})

        client.meta.events.register("before-call.dynamodb.TransactWriteItems", look)
        deliver(acme.event(_ANA))
        client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", look)

    [lease] = [item for item in acme._items() if item["sk"]["S"] == "#lease"]  # noqa: SLF001  (as above)
    assert relay_saw == [{"SET"}, {"SET", "REMOVE"}]  # taken, given back
    assert not {"retry_at", "due_shard"} & lease.keys()


def test_what_was_let_go_just_before_the_sweep_died_is_found_though_it_has_no_message(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, sent: Sent
) -> None:
    with Relay(**LOGIN, script={"auth": [Say("535 5.7.8 no")]}) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))
        account = wiring.grants().read(acme.id, acme.account_id)
        assert account is not None
        after = account.model_copy(update={"verified_at": datetime.now(UTC)})
        wiring.grants().update(account, after, refresh_at=None)
        marks.let_pass(FIRST)
        sweep()
        assert acme.states() == {_ANA: "queued"}
        acme.overwrite(_ANA, retry_at=_ago(_OVERDUE))

        assert sweep() == {"sent_again": 1}
        assert sent(acme)[-1] == 0
        acme.let_breaker_try()
        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {_ANA: "accepted"}


@pytest.fixture
def calls(stack: Stack) -> Iterator[Counter[str]]:
    """The AWS calls that the functions make, by operation."""
    del stack
    counted: Counter[str] = Counter()
    clients = [wiring.client(service) for service in ("dynamodb", "sqs", "events")]

    def count(model: Any, **_: object) -> None:  # noqa: ANN401  (botocore's own)
        counted[model.name] += 1

    for client in clients:
        client.meta.events.register("before-call", count)
    yield counted
    for client in clients:
        client.meta.events.unregister("before-call", count)


def test_a_minute_in_which_nothing_is_due_costs_seventeen_queries(
    sweep: Sweep, marks: Marks, calls: Counter[str]
) -> None:
    del marks

    assert sweep() == {}
    assert calls == {"Query": 17}  # one for marks, and one for each shard of what is due
