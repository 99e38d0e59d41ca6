"""A store that is busy at the wrong moment: what is answered is true, and nothing takes effect later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.trouble import LOST_ANSWER, refused, trouble_with_aws
from tests.functional.settings.conftest import PASSWORD

if TYPE_CHECKING:
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


def test_a_change_that_was_not_saved_takes_no_effect_with_a_later_one(desk: Desk) -> None:
    account_id = desk.create(relay=RELAY)["id"]
    with trouble_with_aws(THROTTLED, at=lambda call: call.name == "TransactWriteItems"):
        refusal = desk.patch(account_id, {"auth": {"password": "never-saved"}})

    saved = desk.patch(account_id, {"relay": {"proxy": {"password": "n3w-proxy"}}})

    secret = _secret_in_use(desk, account_id)
    assert (refusal.status, saved.status, saved.json["version"]) == (503, 200, 2)
    assert (secret["password"], secret["proxy_password"]) == (PASSWORD, "n3w-proxy")
    assert [entry["fields"] for entry in desk.audit()] == [[], ["relay.proxy.password"]]


@pytest.mark.parametrize("patch", [{"auth": {"password": "n3w-of-ops"}}, {"name": "New"}], ids=["secret", "settings"])
def test_a_change_that_was_saved_is_told_though_the_answers_of_the_table_were_lost(desk: Desk, patch: Json) -> None:
    account_id = desk.create()["id"]

    with trouble_with_aws(LOST_ANSWER, at=lambda call: call.name == "TransactWriteItems"):
        answer = desk.patch(account_id, patch)

    assert (answer.status, answer.json["version"]) == (200, 2)
    assert answer.json == desk.ask("GET", f"/{account_id}").json
