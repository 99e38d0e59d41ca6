"""Filters of the list of deliveries: each finds what it says, and one that means nothing is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.functional.conftest import Context
from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.deliveries.conftest import ANA, BO, CY, Admin
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Stack
    from tests.functional.http_api import Json

_OTHER_ACCOUNT = "01JD7Z0000000000000000NEXT"


@pytest.fixture(scope="module")
def acme(whole_stack: Stack) -> Acme:
    """A project of all these tests, which only read."""
    whole_stack.forget_deliveries()
    return Acme()


@pytest.fixture(scope="module")
def event(whole_stack: Stack, acme: Acme) -> Json:
    """What it sent: to ana, then to bo, whom the relay does not know, then to cy, who has no room just now."""
    from functions.deliver.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

    script = {"rcpt bo@example.org": Say("550 5.1.1 who?"), "rcpt cy@example.org": Say("452 4.2.2 mailbox full")}
    with Relay(**LOGIN, script=script) as relay:
        acme.save(relay)
        event = acme.event(ANA, BO, CY)
        record = {
            "messageId": "message",
            "receiptHandle": "handle",
            "body": json.dumps(event),
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSourceARN": whole_stack.arn("NotificationQueue"),
        }
        assert lambda_handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    for minutes, recipient in ((9, ANA), (8, BO), (7, CY)):
        at = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        acme.overwrite(recipient, created_at=at, project_hour=f"{acme.id}#{at[:13]}")
    return event


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=refused", [BO]),
        ("state=accepted,deferred", [CY, ANA]),
        ("state=bounced", []),
        (f"recipient={ANA}", [ANA]),
        ("recipient=Ana%40EXAMPLE.org", [ANA]),
        (f"recipient={ANA}&state=refused", []),
        ("correlation={subject}", [CY, BO, ANA]),
        ("correlation={subject}&recipient=bo%40example.org", [BO]),
        ("correlation=incident/none", []),
        ("mail_account_id={account}", [CY, BO, ANA]),
        (f"mail_account_id={_OTHER_ACCOUNT}", []),
        ("mail_account_id=none", []),
        ("type=incident", [CY, BO, ANA]),
        ("type=incident.created&state=refused", [BO]),
        ("type=alert", []),
        ("type=inc", []),
        ("from={day_ago}", [CY, BO, ANA]),
        ("from={day_ago}&to={day_ago}", []),
        ("to=2026-01-01T00:00:00Z", []),
        ("from=2999-01-01T00:00:00Z", []),
        ("from=0001-01-01T00:00:00%2B14:00&to=9999-12-31T23:59:59-12:00", [CY, BO, ANA]),
        ("to=0001-01-01T00:00:00%2B14:00", []),
    ],
)
def test_filters_find_what_they_say(acme: Acme, admin: Admin, event: Json, query: str, found: list[str]) -> None:
    day_ago = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    if "from=" not in query and "to=" not in query:
        query += "&from={day_ago}"  # so that no hours are looked through in which nothing was sent
    filled = query.format(subject=quote(event["subject"]), account=acme.account_id, day_ago=quote(day_ago))

    assert [row["recipient"] for row in admin.listed(filled)] == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "state.0"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("from=yesterday", "from"),
        ("from=2026-01-01T00:00:00", "from"),
        ("recipient=", "recipient"),
        ("mail_account_id=x", "mail_account_id"),
        ("type=x.y.z", "type"),
        ("cursor=abc", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("sate=refused", "sate"),
    ],
)
@pytest.mark.usefixtures("event")
def test_a_filter_that_means_nothing_is_refused_by_its_name(admin: Admin, query: str, field: str) -> None:
    answer = admin("GET", f"/deliveries?{query}")

    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


@pytest.mark.parametrize("path", ["/deliveries", "/deliveries/x", "/suppressions", "/audit"])
@pytest.mark.usefixtures("event")
def test_a_foreign_and_a_missing_project_are_answered_alike(acme: Acme, path: str) -> None:
    foreign = Admin(acme.id, "other:admin")("GET", path)
    missing = Admin("no-such-project", "*:admin")("GET", path)

    assert foreign.status == missing.status == 404
    assert (foreign.body, foreign.headers) == (missing.body, missing.headers)
