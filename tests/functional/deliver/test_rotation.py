"""A password that is rotated in the middle of things: nothing is repeated, and the new one is used from then on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring

from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.trouble import LOST_ANSWER, trouble_with_aws
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme
    from tests.functional.deliver.trouble import Call

PEOPLE = tuple(f"p{number}@example.org" for number in range(70))  # two windows


def rotate(acme: Acme, passwords: dict[str, str]) -> None:
    """Change the password at the relay, and a moment later in the account's settings."""
    passwords["ops"] = "rotated"
    secret = {**acme.stored_secret(), "password": "rotated"}
    del secret["version"]
    name = f"tocsin/test/{acme.id}/{acme.account_id}"
    version = boto3.client("secretsmanager").put_secret_value(SecretId=name, SecretString=json.dumps(secret))
    boto3.client("dynamodb").update_item(
        TableName="SettingsTable",
        Key={"project_id": {"S": acme.id}, "sk": {"S": f"mail-account#{acme.account_id}"}},
        UpdateExpression="SET version = :two, credential_version = :credential",
        ExpressionAttributeValues={":two": {"N": "2"}, ":credential": {"S": version["VersionId"]}},
    )


def let_time_pass(acme: Acme) -> None:
    """Until settings are read anew, and the pause behind a refused login is over."""
    acme.let_breaker_try()
    wiring.settings_store.cache_clear()
    wiring.receive.cache_clear()


@pytest.mark.parametrize(
    ("moment", "states"),
    [
        pytest.param("before-the-login", {"parked"}, id="between-settings-and-login"),
        pytest.param("between-the-windows", {"accepted"}, id="between-login-and-submission"),
    ],
)
def test_a_password_rotated_in_mid_batch_repeats_nothing_and_the_new_one_is_used_next(
    acme: Acme, deliver: Invoke, moment: str, states: set[str]
) -> None:
    passwords = {"ops": "secret"}
    login: dict[str, Any] = LOGIN | {"passwords": passwords}
    with Relay(**login) as relay:
        acme.save(relay)
        with trouble_with_aws(LOST_ANSWER, at=_once(moment, lambda: rotate(acme, passwords))):
            assert deliver(acme.event(*PEOPLE)) == []
        assert set(acme.states().values()) == states
        mailed = len(relay.mails)
        let_time_pass(acme)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states()["ana@example.org"] == "accepted"
    assert (mailed, len(relay.mails)) == ((70, 71) if states == {"accepted"} else (0, 1))
    assert sum(command.startswith("AUTH") for command in relay.commands) == 2


def _once(moment: str, do: Callable[[], None]) -> Callable[[Call], bool]:
    """Do it at the run's first transaction, which journals `submitting`, or at the first word to the bus."""
    name = {"before-the-login": "TransactWriteItems", "between-the-windows": "PutEvents"}[moment]
    left = [do]

    def look(call: Call) -> bool:
        if call.name == name and left:
            left.pop()()
        return False

    return look
