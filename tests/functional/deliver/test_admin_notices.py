"""A lost grant is told to the project's admins, once, through the account that still works."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from typing import TYPE_CHECKING

import boto3
from tocsin.adapters.admin_notices import AdminNotices
from tocsin.adapters.settings_store import SettingsStore

from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

LOST, WORKING = "01JD7Z00000000000000000LOST", "01JD7Z0000000000000000WORKS"


def _save_project(acme: Acme, relay: Relay) -> None:
    """Two accounts; the system route names only the one whose grant is lost."""
    acme.project = {"routes": {"system": [LOST]}, "admins": [{"email": "carla@example.org", "name": "Carla"}]}
    acme.account_id, acme.changes = LOST, {"name": "Lost mailbox", "status": "reauthorization_required"}
    acme.save(relay)
    acme.account_id, acme.changes = WORKING, {"use_for": ["alert"]}
    acme.save(relay)


def test_a_lost_grant_is_mailed_once_through_an_account_of_another_route(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    failures: list[str] = []
    store = SettingsStore(boto3.client("dynamodb"), "SettingsTable", monotonic=lambda: 0.0)
    notices = AdminNotices(
        lambda: boto3.client("sqs"),
        stack.queues["NotificationQueue"],
        store,
        on_failure=lambda reason, _: failures.append(reason),
    )
    with Relay(**LOGIN) as relay:
        _save_project(acme, relay)
        settings = store.project(acme.id)
        assert settings is not None

        notices.grant_lost(settings.mail_accounts[LOST])
        notices.grant_lost(settings.mail_accounts[LOST])
        first, second = stack.messages("NotificationQueue")
        assert deliver(first["body"]) == deliver(second["body"]) == []

    assert failures == []
    [mail] = relay.mails
    message = message_from_bytes(mail.content, policy=email.policy.default)
    assert mail.rcpt_to == ("carla@example.org",)
    assert message["Subject"] == "[Action required] Lost mailbox cannot send: authorize it again"
    assert acme.deliveries()["carla@example.org"]["mail_account_id"] == WORKING
