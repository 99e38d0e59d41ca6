"""Mails that were parked arrive once an admin made an end of what parked them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.arrivals import arrivals
from local.oauth2_demo import oauth2_account
from local.samples import publish
from tests.local.events import arrived, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from local.samples import Sample
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

PROJECT_ID = "redriven"
RECIPIENT = "parked@example.net"


def test_mails_of_an_account_with_a_wrong_password_go_by_the_next_one_when_it_is_deleted(local: Local) -> None:
    _save_project(local, [])
    broken, good = (_new_account(local, password) for password in ("wrong", local.inbox.password))
    _save_project(local, [broken, good])
    sample = new_event(RECIPIENT)
    sample.event["data"]["project"]["id"] = PROJECT_ID
    publish([sample], local.stack)
    wait_until(lambda: _state(sample, local) == "parked", "the mail parked")

    _ask(local, "DELETE", f"/{broken}")
    # The engine's own schedule would do as well, a minute later.
    wait_until(lambda: _sweep(local)["redriven"] or _state(sample, local) != "parked", "the mail let go")

    [arrival] = wait_until(lambda: arrived([sample], local), "the mail")
    assert arrival.recipient == RECIPIENT
    mails = [mail for mail in local.inbox.mailbox.mails() if mail.rcpt_to == RECIPIENT]
    assert len(mails) == 1


def _state(sample: Sample, local: Local) -> str | None:
    [arrival] = arrivals(sample, stack=local.stack, mailbox=local.inbox.mailbox)
    return arrival.state


def _sweep(local: Local) -> dict[str, int]:
    """Run what the schedule of every minute runs."""
    answer = local.stack.client("lambda").invoke(
        FunctionName=local.stack.resources["RefreshFunction"], Payload=json.dumps({"task": "sweep"})
    )
    counts: dict[str, int] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, counts
    return {"redriven": 0} | counts


def _new_account(local: Local, password: str) -> str:
    document = oauth2_account(local.surroundings)
    document["auth"] = {"type": "password", "username": local.inbox.username, "password": password}
    account_id: str = _ask(local, "POST", "", document).json()["id"]
    return account_id


def _ask(local: Local, method: str, path: str, document: dict[str, Any] | None = None) -> requests.Response:
    url = f"{local.surroundings.front.url}/projects/{PROJECT_ID}/mail-accounts{path}"
    token = local.surroundings.identity_provider.admin_token()
    answer = requests.request(method, url, json=document, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.ok, answer.text
    return answer


def _save_project(local: Local, accounts: list[str]) -> None:
    document = json.dumps({"name": "Redriven", "routes": {"incident": accounts}})
    item = {"project_id": PROJECT_ID, "sk": "project", "version": 1, "document": document}
    local.stack.table("SettingsTable").put_item(Item=item)
