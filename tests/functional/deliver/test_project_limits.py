"""A project's own limits hold over all of its accounts and workers: later, never lost, and for no AWS call more."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring
from tocsin.model.rate import next_month

from functions.settings.app import lambda_handler as settings
from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.functional.http_api import call
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.stack import Acme

FIRST, SECOND = "01JD7Z0000000000000000ACME", "01JD7Z0000000000000000BACK"
MINUTE = timedelta(minutes=1)


def _save(acme: Acme, relay: Relay, **limits: int) -> None:
    """A project with an account for its incidents and another one for its alerts."""
    acme.project = {"limits": limits, "routes": {"incident": [FIRST], "alert": [SECOND]}}
    for account_id in (SECOND, FIRST):
        acme.account_id = account_id
        acme.save(relay)


def _people(number: int, letter: str = "p") -> list[str]:
    return [f"{letter}{index}@example.org" for index in range(number)]


@pytest.fixture
def calls(acme: Acme) -> Iterator[Counter[str]]:
    """The calls to AWS, by operation."""
    del acme
    seen: Counter[str] = Counter()

    def see(model: Any, **_: object) -> None:  # noqa: ANN401  (botocore's model of the operation)
        seen[model.name] += 1

    events = [wiring.client(service).meta.events for service in ("dynamodb", "events", "sqs")]
    for one in events:
        one.register("before-call", see)
    yield seen
    for one in events:
        one.unregister("before-call", see)


def test_accounts_and_workers_together_never_exceed_it_and_lose_nothing(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(2) as fleet:
        _save(acme, relay, per_minute=10)
        begun, seen = fleet.clock.now, []
        fleet.publish(
            *(acme.event(*_people(4, letter)) for letter in "pqr"),
            *(acme.event(*_people(4, letter), type="alert.created") for letter in "stu"),
        )
        while fleet.queue.messages:
            fleet.work_once()
            seen.append((fleet.clock.now, len(relay.mails)))

        assert Counter(mail.rcpt_to[0] for mail in relay.mails) == Counter(
            person for letter in "pqrstu" for person in _people(4, letter)
        )
        for moment, count in seen:
            before = max((number for at, number in seen if at <= moment - MINUTE), default=0)
            assert count - before <= 10
        assert fleet.clock.now - begun <= timedelta(minutes=5)
    assert {(one["state"], one["attempt"]) for one in acme.deliveries().values()} == {("accepted", 1)}


def test_what_waits_says_that_it_is_the_project_s_limit(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, per_day=1)
        fleet.publish(acme.event("ana@example.org"), acme.event("bo@example.org", type="alert.created"))
        fleet.work_once()

    waiting = next(one for one in acme.deliveries().values() if one["state"] == "deferred")
    assert waiting["attempt"] == 0
    assert waiting["log"][-1]["reply"] == {"phase": "settings", "text": "project_over_limit"}
    assert waiting["log"][-1]["remedy_id"] == "project-over-limit"


def test_words_to_the_project_s_admins_go_whatever_it_has_used_up(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, per_month=1)
        fleet.publish(acme.event("ana@example.org"), acme.event("bo@example.org"))
        fleet.work_once()
        word = acme.event("carla@example.org", type="settings.reauthorization_required")
        word["data"]["mail_account"] = {"id": FIRST, "name": "Ops"}

        fleet.publish(word)
        fleet.work_once()

        assert [mail.rcpt_to[0] for mail in relay.mails][1:] == ["carla@example.org"]


def test_it_costs_no_call_more(acme: Acme, calls: Counter[str]) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, per_minute=100, per_day=1000, per_month=10_000)
        fleet.publish(acme.event("ana@example.org"))
        fleet.work_once()
        fleet.clock.pass_seconds(11)
        calls.clear()

        fleet.publish(acme.event("bo@example.org"))
        fleet.work_once()

        assert len(relay.mails) == 2
        assert calls.total() <= 5
        assert calls["BatchGetItem"] == 1


def test_a_month_that_is_used_up_goes_on_in_the_next_or_when_it_is_raised(acme: Acme) -> None:
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        _save(acme, relay, per_month=2)
        fleet.publish(acme.event(*_people(3)))
        fleet.work_once()

        [parked] = [one for one in acme.deliveries().values() if one["state"] == "parked"]
        assert (parked["attempt"], parked["parked_account"]) == (0, f"{acme.id}#none")
        assert parked["log"][-1]["remedy_id"] == "project-month-used-up"
        assert len(relay.mails) == 2
        assert acme.marks() == [("none", f"{next_month(fleet.clock.now):%Y-%m-%dT%H:%M:%S.%fZ}")]


@pytest.mark.parametrize(
    ("limits", "marked"),
    [
        pytest.param({"per_month": 3}, True, id="raised"),
        pytest.param({}, True, id="taken-away"),
        pytest.param({"per_month": 1}, False, id="lowered"),
        pytest.param({"per_month": 2, "per_day": 9}, False, id="another-one"),
    ],
)
def test_only_a_month_that_is_raised_lets_go_what_it_parked(acme: Acme, limits: dict[str, int], marked: bool) -> None:  # noqa: FBT001  (a table's column)
    with Relay(**LOGIN) as relay:
        _save(acme, relay, per_month=2)
    path, claims = f"/projects/{acme.id}", {"sub": "admin-1", "tocsin_projects": "*:admin"}
    shown = call(settings, "GET", path, claims=claims).json
    written = {"name": "Acme", "routes": shown["routes"], "limits": limits}

    answer = call(settings, "PUT", path, claims=claims, body=json.dumps(written), headers={"if-match": "*"})

    assert answer.status == 200, answer.body
    items = boto3.client("dynamodb").query(
        TableName="SettingsTable",
        KeyConditionExpression="project_id = :project AND begins_with(sk, :mark)",
        ExpressionAttributeValues={":project": {"S": acme.id}, ":mark": {"S": "redrive#"}},
    )["Items"]
    assert [item["sk"]["S"] for item in items] == (["redrive#none"] if marked else [])
