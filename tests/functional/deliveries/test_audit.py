"""The audit over HTTP: newest first, page by page, each project's own, and for as long as it is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.stack import Acme
from tests.functional.deliveries.conftest import ANA, BO, CY, Admin

if TYPE_CHECKING:
    from tests.functional.http_api import Json


def _suppress(admin: Admin, *addresses: str) -> None:
    for address in addresses:
        assert admin("POST", "/suppressions", {"address": address}).status == 201


def _subjects(page: Json) -> list[str]:
    return [entry["subject"] for entry in page["items"]]


def test_pages_are_newest_first_and_hold_each_entry_once(acme: Acme, admin: Admin, viewer: Admin) -> None:
    acme.save(None)
    _suppress(admin, ANA, BO, CY)

    first = viewer("GET", "/audit?limit=2").json
    second = viewer("GET", f"/audit?limit=2&cursor={first['cursor']}").json

    assert (_subjects(first), _subjects(second), second["cursor"]) == ([CY, BO], [ANA], None)


def test_an_entry_says_who_did_what_to_what_and_when(acme: Acme, admin: Admin) -> None:
    acme.save(None)
    begun = datetime.now(UTC)
    _suppress(admin, ANA)

    [entry] = admin("GET", "/audit").json["items"]

    assert begun <= datetime.fromisoformat(entry["at"]) <= datetime.now(UTC)
    assert entry | {"at": None} == {
        "at": None,
        "admin": "admin-1",
        "action": "suppression.added",
        "subject": ANA,
        "fields": [],
        "details": {},
    }


def test_another_project_s_audit_is_its_own(acme: Acme, admin: Admin) -> None:
    other = Acme()
    for project in (acme, other):
        project.save(None)
    _suppress(admin, ANA, BO)
    stranger = Admin(other.id, f"{other.id}:admin")
    cursor = admin("GET", "/audit?limit=1").json["cursor"]

    assert stranger("GET", "/audit").json == {"items": [], "cursor": None}
    assert stranger("GET", f"/audit?cursor={cursor}").status == 422


@pytest.mark.parametrize("cursor", ["x", "e30", "%F0%9F"])
def test_a_cursor_that_no_list_gave_is_refused(acme: Acme, admin: Admin, cursor: str) -> None:
    acme.save(None)

    answer = admin("GET", f"/audit?cursor={cursor}")

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "cursor")


def test_an_entry_is_kept_for_400_days_though_deliveries_are_not(acme: Acme, admin: Admin) -> None:
    """`RetentionDays` of the stack in these tests is 30."""
    acme.save(None)
    _suppress(admin, ANA)

    answer = boto3.client("dynamodb").query(
        TableName="SettingsTable",
        KeyConditionExpression="project_id = :project AND begins_with(sk, :audit)",
        ExpressionAttributeValues={":project": {"S": acme.id}, ":audit": {"S": "audit#"}},
    )
    [item] = answer["Items"]
    expected = (datetime.now(UTC) + timedelta(days=400)).timestamp()
    assert abs(int(item["ttl"]["N"]) - expected) < 60
