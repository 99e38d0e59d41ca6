"""What its own document makes up is sent to the settings API, and whatever comes back is in the document too."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import requests
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

    from schemathesis import Case

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


class Desk(requests.Session):
    """An admin of one project who asks the API. The account that cases name is always there: its id is put in late.

    Schemathesis judges a case by what it looks like, so the case itself keeps the id that the document knows.
    """

    def __init__(self, local: Local) -> None:
        super().__init__()
        self.local = local
        self.base_url = local.surroundings.front.url
        token = local.surroundings.identity_provider.admin_token([f"{PROJECT_ID}:admin"])
        self.headers["Authorization"] = f"Bearer {token}"
        self._accounts = f"{self.base_url}/projects/{PROJECT_ID}/mail-accounts"
        self._account_id = "none-yet"

    def request(self, method: str, url: str, **more: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401  (as requests takes it)
        """Ask, and let the case find the account that it names."""
        if ACCOUNT_ID in url:
            url = url.replace(ACCOUNT_ID, self._an_account())
        return super().request(method, url, **more)

    def make_account(self) -> str:
        """Make a mail account that sends through the inbox."""
        answer = self.post(self._accounts, json=_account(self.local), timeout=SECONDS)
        assert answer.status_code == HTTPStatus.CREATED, answer.text
        account_id: str = answer.json()["id"]
        return account_id

    def _an_account(self) -> str:
        """The account, made anew if a case deleted it."""
        found = self.get(f"{self._accounts}/{self._account_id}", timeout=SECONDS)
        if found.status_code == HTTPStatus.NOT_FOUND:
            self._account_id = self.make_account()
        return self._account_id


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
    """An admin of a project of its own, which has a mail account."""
    tokens = local.surroundings.identity_provider
    made = requests.put(
        f"{local.surroundings.front.url}/projects/{PROJECT_ID}",
        json={"name": "Odd"},
        headers={"Authorization": f"Bearer {tokens.admin_token()}", "If-None-Match": "*"},
        timeout=SECONDS,
    )
    assert made.status_code == HTTPStatus.CREATED, made.text
    with Desk(local) as desk:
        desk.make_account()  # it is never named, and keeps the project, which is not deleted while one is in use
        yield desk


@SCHEMA.parametrize()
def test_no_request_is_answered_otherwise_than_the_document_says(case: Case[Any], desk: Desk) -> None:
    if isinstance(case.body, dict | list):
        case.body = led_nowhere(case.body)

    case.call_and_validate(base_url=desk.base_url, session=desk, checks=CHECKS, timeout=SECONDS)
