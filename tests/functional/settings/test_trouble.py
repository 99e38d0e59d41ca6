"""A store that is busy at the wrong moment: what is answered is true, and nothing takes effect later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.trouble import LOST_ANSWER, refused, trouble_with_aws
from tests.functional.settings.conftest import PASSWORD, password_account

if TYPE_CHECKING:
    from tests.functional.deliver.trouble import Call
    from tests.functional.settings.conftest import Desk, Json

THROTTLED = refused("ThrottlingException")
PROXY = {"host": "proxy.example.org", "port": 3128, "username": "ops", "password": "pr0xy-of-ops"}
RELAY = {"host": "relay.example.org", "port": 587, "security": "starttls", "proxy": PROXY}


def _secret_in_use(desk: Desk, account_id: str) -> Json:
    """The version that the account names, by which mails are sent."""
    stored = boto3.client("secretsmanager").get_secret_value(
        SecretId=f"tocsin/test/{desk.project}/{account_id}",
        VersionId=desk.item(account_id)["credential_version"]["S"],
    )
    secret: Json = json.loads(stored["SecretString"])
    return secret


def _is_let_go(desk: Desk, account_id: str) -> bool:
    """Whether the account's secret is marked for its end."""
    name = f"tocsin/test/{desk.project}/{account_id}"
    return "DeletedDate" in boto3.client("secretsmanager").describe_secret(SecretId=name)


def _is_transaction(call: Call) -> bool:
    return call.name == "TransactWriteItems"


def test_a_change_that_was_not_saved_takes_no_effect_with_a_later_one(desk: Desk) -> None:
    account_id = desk.create(relay=RELAY)["id"]
    with trouble_with_aws(THROTTLED, at=_is_transaction):
        refusal = desk.patch(account_id, {"auth": {"password": "never-saved"}})

    saved = desk.patch(account_id, {"relay": {"proxy": {"password": "n3w-proxy"}}})

    secret = _secret_in_use(desk, account_id)
    assert (refusal.status, saved.status, saved.json["version"]) == (503, 200, 2)
    assert (secret["password"], secret["proxy_password"]) == (PASSWORD, "n3w-proxy")
    assert [entry["fields"] for entry in desk.audit()] == [[], ["relay.proxy.password"]]


@pytest.mark.parametrize("patch", [{"auth": {"password": "n3w-of-ops"}}, {"name": "New"}], ids=["secret", "settings"])
def test_a_change_that_was_saved_is_told_though_the_answers_of_the_table_were_lost(desk: Desk, patch: Json) -> None:
    account_id = desk.create()["id"]

    with trouble_with_aws(LOST_ANSWER, at=_is_transaction):
        answer = desk.patch(account_id, patch)

    assert (answer.status, answer.json["version"]) == (200, 2)
    assert answer.json == desk.ask("GET", f"/{account_id}").json


def test_an_account_that_was_made_is_told_though_the_answers_of_the_table_were_lost(desk: Desk) -> None:
    with trouble_with_aws(LOST_ANSWER, at=_is_transaction):
        answer = desk.ask("POST", "", password_account())

    assert answer.status == 201
    assert desk.ask("GET", "").json["items"] == [answer.json]
    assert _secret_in_use(desk, answer.json["id"])["password"] == PASSWORD


def test_an_account_that_was_not_made_leaves_no_secret(desk: Desk) -> None:
    with trouble_with_aws(THROTTLED, at=_is_transaction) as calls:
        answer = desk.ask("POST", "", password_account())

    [made] = [json.loads(call.body)["Name"] for call in calls if call.name == "CreateSecret"]
    assert answer.status == 503
    assert _is_let_go(desk, made.rpartition("/")[2])


def test_an_account_that_was_not_made_leaves_no_secret_of_which_the_answer_was_lost(desk: Desk) -> None:
    with trouble_with_aws(LOST_ANSWER, at=lambda call: call.name == "CreateSecret") as calls:
        answer = desk.ask("POST", "", password_account())

    [made] = {json.loads(call.body)["Name"] for call in calls if call.name == "CreateSecret"}
    assert (answer.status, desk.ask("GET", "").json["items"]) == (503, [])
    assert _is_let_go(desk, made.rpartition("/")[2])


@pytest.mark.parametrize("lost", ["TransactWriteItems", "DeleteSecret"])
def test_an_account_that_was_deleted_is_told_so_though_answers_were_lost(desk: Desk, lost: str) -> None:
    account_id = desk.create()["id"]

    with trouble_with_aws(LOST_ANSWER, at=lambda call: call.name == lost):
        answer = desk.ask("DELETE", f"/{account_id}")

    assert (answer.status, desk.item(account_id)) == (204, {})
    assert _is_let_go(desk, account_id)


def test_an_account_is_deleted_though_its_secret_cannot_be_let_go_yet(desk: Desk) -> None:
    account_id = desk.create()["id"]

    with trouble_with_aws(THROTTLED, at=lambda call: call.name == "DeleteSecret"):
        answer = desk.ask("DELETE", f"/{account_id}")

    assert (answer.status, desk.item(account_id)) == (204, {})
    assert f"redrive#{account_id}" in {item["sk"]["S"] for item in desk.items("redrive#")}  # the sweep comes back to it


@pytest.mark.parametrize("deleted", [1, 2])
def test_who_deletes_several_is_told_which_are_deleted_when_the_table_becomes_busy(desk: Desk, deleted: int) -> None:
    ids = [desk.create()["id"] for _ in range(3)]
    seen: list[str] = []

    def later(call: Call) -> bool:
        seen.extend(["transaction"] * _is_transaction(call))
        return _is_transaction(call) and len(seen) > deleted

    with trouble_with_aws(THROTTLED, at=later):
        answer = desk.ask("POST", "/bulk-delete", {"ids": ids})

    assert (answer.status, answer.json) == (200, {"deleted": ids[:deleted], "not_there": [], "left": ids[deleted:]})
    assert [account["id"] for account in desk.ask("GET", "").json["items"]] == ids[deleted:]


def test_who_deletes_several_and_no_one_is_deleted_may_repeat_it(desk: Desk) -> None:
    ids = [desk.create()["id"] for _ in range(2)]

    with trouble_with_aws(THROTTLED, at=_is_transaction):
        answer = desk.ask("POST", "/bulk-delete", {"ids": ids})

    assert answer.status == 503
    assert [account["id"] for account in desk.ask("GET", "").json["items"]] == ids


@pytest.mark.parametrize("part", ["mail-account#", "project"])
def test_who_deletes_several_is_told_which_are_deleted_though_what_is_next_cannot_be_read(
    desk: Desk, part: str
) -> None:
    ids = [desk.create()["id"] for _ in range(3)]
    seen: list[str] = []

    def later(call: Call) -> bool:
        seen.extend(["transaction"] * _is_transaction(call))
        key = f'"sk": {{"S": "{part}'
        return call.name == "GetItem" and bool(seen) and key in call.body

    with trouble_with_aws(THROTTLED, at=later):
        answer = desk.ask("POST", "/bulk-delete", {"ids": ids})

    assert (answer.status, answer.json) == (200, {"deleted": ids[:1], "not_there": [], "left": ids[1:]})
