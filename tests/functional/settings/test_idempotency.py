"""Requests that are repeated under an Idempotency-Key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.trouble import LOST_ANSWER, refused, trouble_with_aws
from tests.functional.settings.conftest import PASSWORD, oauth2_account, password_account

if TYPE_CHECKING:
    from tests.functional.deliver.trouble import Trouble
    from tests.functional.settings.conftest import Desk, Json

KEY = {"idempotency-key": "key-1"}
THROTTLED = refused("ThrottlingException")
CONFLICT = refused("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])


def _kept() -> list[Json]:
    items = boto3.client("dynamodb").scan(TableName="EphemeralTable", ConsistentRead=True)["Items"]
    return [item for item in items if item["pk"]["S"].startswith("idempotency#")]


def _accounts(desk: Desk) -> int:
    return len(desk.ask("GET", "").json["items"])


def test_the_same_request_is_answered_again_and_done_once(desk: Desk) -> None:
    first = desk.ask("POST", "", password_account(), headers=KEY)
    again = desk.ask("POST", "", password_account(), headers=KEY)

    assert (first.status, again.status, again.json) == (201, 201, first.json)
    assert "idempotent-replayed" not in first.headers
    assert again.headers == {**first.headers, "idempotent-replayed": "true"}
    assert _accounts(desk) == 1


def test_another_request_with_the_key_is_refused(desk: Desk) -> None:
    desk.ask("POST", "", password_account(), headers=KEY)

    answer = desk.ask("POST", "", password_account(name="Other"), headers=KEY)

    assert (answer.status, answer.json["remedy"]) == (422, "Send a new key.")
    assert _accounts(desk) == 1


def test_a_key_is_its_caller_s_own_and_its_route_s(desk: Desk) -> None:
    account_id = desk.ask("POST", "", password_account(), headers=KEY).json["id"]

    other = desk.ask("POST", "", password_account(), headers=KEY, claims={"sub": "admin-2"})
    deleted = desk.ask("POST", "/bulk-delete", {"ids": [account_id]}, headers=KEY)

    assert other.json["id"] != account_id
    assert deleted.json["deleted"] == [account_id]
    assert desk.ask("POST", "/bulk-delete", {"ids": [account_id]}, headers=KEY).json == deleted.json


def test_what_failed_may_be_repeated(desk: Desk) -> None:
    desk.create(slug="ops")
    refused = desk.ask("POST", "", password_account(slug="ops"), headers=KEY)
    made = desk.ask("POST", "", password_account(slug="pages"), headers=KEY)

    assert (refused.status, made.status) == (422, 201)


def test_a_request_that_is_being_carried_out_is_not_begun_again(desk: Desk) -> None:
    before = {item["pk"]["S"] for item in _kept()}
    desk.ask("POST", "", password_account(), headers=KEY)
    [item] = [item for item in _kept() if item["pk"]["S"] not in before]
    boto3.client("dynamodb").update_item(
        TableName="EphemeralTable", Key={"pk": item["pk"]}, UpdateExpression="REMOVE answer"
    )

    busy = desk.ask("POST", "", password_account(), headers=KEY)
    boto3.client("dynamodb").update_item(
        TableName="EphemeralTable",
        Key={"pk": item["pk"]},
        UpdateExpression="SET ends_at = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )

    died = desk.ask("POST", "", password_account(), headers=KEY)

    assert (busy.status, died.status) == (409, 409)
    assert "Repeat it" in busy.json["remedy"]
    assert died.json["remedy"] == "Read what is there, and send what is missing with a new key."
    assert _accounts(desk) == 1


@pytest.mark.parametrize(
    "trouble", [THROTTLED, LOST_ANSWER, refused("ValidationException")], ids=["throttled", "lost", "too-large"]
)
def test_what_is_done_is_told_and_not_done_again_where_the_answer_cannot_be_kept(desk: Desk, trouble: Trouble) -> None:
    with trouble_with_aws(trouble, at=lambda call: call.name == "UpdateItem" and '"EphemeralTable"' in call.body):
        made = desk.ask("POST", "", password_account(), headers=KEY)
    again = desk.ask("POST", "", password_account(), headers=KEY)

    assert (made.status, _accounts(desk)) == (201, 1)
    assert again.status == (201 if trouble is LOST_ANSWER else 409)


@pytest.mark.parametrize(
    ("trouble", "name", "status"),
    [
        (CONFLICT, "TransactWriteItems", 201),
        (THROTTLED, "CreateSecret", 201),
        (THROTTLED, "TransactWriteItems", 409),
        (THROTTLED, "GetItem", 409),
    ],
    ids=["crowd", "secret", "table", "reading"],
)
def test_only_what_is_known_to_be_undone_may_be_repeated_with_its_key(
    desk: Desk, trouble: Trouble, name: str, status: int
) -> None:
    with trouble_with_aws(trouble, at=lambda call: call.name == name):
        busy = desk.ask("POST", "", password_account(), headers=KEY)

    assert busy.status == 503
    assert ("nothing was saved" in busy.json["detail"]) is (status == 201)
    assert desk.ask("POST", "", password_account(), headers=KEY).status == status


def test_a_refusal_is_told_though_its_key_cannot_be_given_back(desk: Desk) -> None:
    with trouble_with_aws(THROTTLED, at=lambda call: call.name == "DeleteItem"):
        answer = desk.ask("POST", "", {}, headers=KEY)

    assert answer.status == 422


def test_who_lost_the_permission_is_not_answered_from_memory(desk: Desk) -> None:
    desk.ask("POST", "", password_account(), headers=KEY)

    viewer = desk.ask("POST", "", password_account(), headers=KEY, permissions=f"{desk.project}:viewer")
    nobody = desk.ask("POST", "", password_account(), headers=KEY, permissions="other:admin")

    assert (viewer.status, nobody.status) == (403, 404)


@pytest.mark.parametrize("key", ["", "a" * 256, "a\tb", "schlüssel"])
def test_a_key_is_short_and_printable(desk: Desk, key: str) -> None:
    answer = desk.ask("POST", "", password_account(), headers={"idempotency-key": key})

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_no_secret_and_no_ticket_is_kept(desk: Desk) -> None:
    desk.ask("POST", "", password_account(), headers=KEY)
    account_id = desk.create(**oauth2_account("authorization_code"))["id"]
    before = len(_kept())

    tickets = {
        desk.ask("POST", f"/{account_id}/authorization", {}, headers=KEY).json["authorize_url"] for _ in range(2)
    }

    assert len(tickets) == 2
    assert len(_kept()) == before
    assert PASSWORD not in json.dumps(_kept())
