"""Which account carries a mail where a project may fall back on the installation's own, and which sender it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from tocsin import wiring

from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke


def _forget_settings() -> None:
    """What was read of `_system` is not kept from one test to the next."""
    wiring.settings_store.cache_clear()
    wiring.receive.cache_clear()


@pytest.fixture
def system(acme: Acme) -> Iterator[Acme]:
    """The project of the installation itself, not saved yet; gone after the test."""
    _forget_settings()
    system = Acme(id="_system", account_id=f"system-of-{acme.id}")
    yield system
    for sort_key in ("project", f"mail-account#{system.account_id}"):
        key = {"project_id": {"S": "_system"}, "sk": {"S": sort_key}}
        boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)
    _forget_settings()


@pytest.mark.parametrize(
    ("policy", "own", "state", "carried_by"),
    [
        pytest.param("system", {"enabled": False}, "accepted", "system", id="system-for-a-disabled-account"),
        pytest.param("system", {"paused": True}, "accepted", "system", id="system-for-a-paused-account"),
        pytest.param("system", {}, "accepted", "own", id="own-account-first"),
        pytest.param("project", {"enabled": False}, "parked", None, id="project-only"),
        pytest.param("none", {"enabled": False}, "parked", None, id="none"),
    ],
)
def test_the_system_project_carries_mails_only_where_the_project_falls_back_on_it(
    acme: Acme, system: Acme, deliver: Invoke, policy: str, own: dict[str, bool], state: str, carried_by: str | None
) -> None:
    with Relay(**LOGIN) as relay, Relay(**LOGIN) as relay_of_system:
        acme.changes, acme.project = own, {"fallback_policy": policy}
        acme.save(relay)
        system.changes = {"senders": [{"email": "tocsin@system.example"}]}
        system.save(relay_of_system)

        assert deliver(acme.event("ana@example.org")) == []

    assert acme.states() == {"ana@example.org": state}
    assert [mail.mail_from for mail in relay.mails] == ["ops@acme.example"] * (carried_by == "own")
    assert [mail.mail_from for mail in relay_of_system.mails] == ["tocsin@system.example"] * (carried_by == "system")
    account = {"own": acme.account_id, "system": system.account_id, None: acme.account_id}[carried_by]
    assert acme.deliveries()["ana@example.org"]["mail_account_id"] == account


def test_without_a_system_project_the_first_account_says_why_it_cannot_send(acme: Acme, deliver: Invoke) -> None:
    acme.changes, acme.project = {"paused": True}, {"fallback_policy": "system"}
    acme.save(None)

    assert deliver(acme.event("ana@example.org")) == []

    assert acme.deliveries()["ana@example.org"]["log"][-1]["reply"]["text"] == "account_paused"


@pytest.mark.parametrize(
    ("sender", "mail_from"),
    [
        pytest.param("alerts@acme.example", "alerts@acme.example", id="one-of-the-account"),
        pytest.param("eve@example.org", None, id="nobody"),
    ],
)
def test_an_unknown_sender_parks_and_never_becomes_another(
    acme: Acme, deliver: Invoke, sender: str, mail_from: str | None
) -> None:
    acme.changes = {"senders": [{"email": "ops@acme.example"}, {"email": "alerts@acme.example"}]}
    event = acme.event("ana@example.org")
    event["data"]["options"] = {"sender": sender}
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(event) == []

    delivery = acme.deliveries()["ana@example.org"]
    assert [mail.mail_from for mail in relay.mails] == [mail_from] * (mail_from is not None)
    assert delivery["state"] == ("accepted" if mail_from else "parked")
    if mail_from is None:
        assert (delivery["attempt"], delivery["log"][-1]["reply"]["text"]) == (0, "sender_not_found")
