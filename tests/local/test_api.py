"""What its own document makes up is sent to the settings API, and whatever comes back is in the document too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.demo import RELAY_TIMEOUT_SECONDS
from local.ports import HOST
from tests.local.api_requests import ACCOUNT_ID, PROJECT_ID, led_nowhere, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import Local

pytestmark = pytest.mark.local

SCHEMA = schema()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SECONDS = 35


@dataclass(slots=True, kw_only=True)
class Desk:
    """The API, asked by an admin of one project."""

    local: Local
    session: requests.Session
    account_id: str = ""

    @property
    def url(self) -> str:
        return self.local.surroundings.front.url

    @property
    def accounts(self) -> str:
        return f"{self.url}/projects/{PROJECT_ID}/mail-accounts"

    def aim(self, case: Case) -> None:
        """Let the case find the mail account that it names, and reach no host outside."""
        if case.path_parameters.get("mail_account_id") == ACCOUNT_ID:
            case.path_parameters = {**case.path_parameters, "mail_account_id": self._an_account()}
        if isinstance(case.body, dict | list):
            case.body = led_nowhere(case.body)

    def _an_account(self) -> str:
        """The account, made anew if a case deleted it."""
        if not self.account_id or self.session.get(f"{self.accounts}/{self.account_id}", timeout=SECONDS).status_code == 404:
            answer = self.session.post(self.accounts, json=_account(self.local), timeout=SECONDS)
            assert answer.status_code == 201, answer.text
            self.account_id = answer.json()["id"]
        return self.account_id


def _account(local: Local) -> dict[str, Any]:
    inbox = local.inbox
    relay = {"host": HOST, "port": inbox.smtp_port, "security": "starttls", "ca_certificate": inbox.ca_certificate}
    return {
        "name": "Inbox",
        "relay": relay | {"timeout_seconds": RELAY_TIMEOUT_SECONDS},
        "auth": {"type": "password", "username": inbox.username, "password": inbox.password},
        "senders": [{"email": "ops@odd.example"}],
    }


@pytest.fixture(scope="module")
def desk(local: Local) -> Iterator[Desk]:
    tokens = local.surroundings.identity_provider
    made = requests.put(
        f"{local.surroundings.front.url}/projects/{PROJECT_ID}",
        json={"name": "Odd"},
        headers={"Authorization": f"Bearer {tokens.admin_token()}", "If-None-Match": "*"},
        timeout=SECONDS,
    )
    assert made.status_code == 201, made.text
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {tokens.admin_token([f'{PROJECT_ID}:admin'])}"
        yield Desk(local=local, session=session)


@SCHEMA.parametrize()
def test_no_request_is_answered_otherwise_than_the_document_says(case: Case, desk: Desk) -> None:
    desk.aim(case)

    case.call_and_validate(base_url=desk.url, session=desk.session, checks=CHECKS, timeout=SECONDS)
