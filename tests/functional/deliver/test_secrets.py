"""A secret that is gone parks what it would have carried; one that cannot be read now is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"ForceDeleteWithoutRecovery": True}, id="for-good"),
        pytest.param({"RecoveryWindowInDays": 7}, id="with-a-recovery-window"),
    ],
)
def test_a_secret_that_was_deleted_parks_the_delivery(acme: Acme, deliver: Invoke, how: dict[str, Any]) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        boto3.client("secretsmanager").delete_secret(SecretId=f"tocsin/test/{acme.id}/{acme.account_id}", **how)

        assert deliver(acme.event("ana@example.org")) == []

    delivery = acme.deliveries()["ana@example.org"]
    assert (delivery["state"], delivery["attempt"]) == ("parked", 0)
    assert delivery["log"][-1]["reply"]["text"] == "secret_missing"
    assert relay.connections == 0
