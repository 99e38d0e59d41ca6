"""What these tests share: the stack of DeliverFunction's tests, and an admin who asks about it over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.conftest import acme, deliver, stack
from tests.functional.http_api import call
from tests.functional.sweep.conftest import sent

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme
    from tests.functional.http_api import Answer, Json

__all__ = ["acme", "deliver", "sent", "stack"]  # fixtures

ANA, BO, CY = "ana@example.org", "bo@example.org", "cy@example.org"
PAST = "2026-01-01T00:00:00.000000Z"


@dataclass(slots=True)
class Admin:
    """Somebody with permissions in one project."""

    project: str
    permissions: str

    def __call__(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Ask about the project; `path` begins behind its id."""
        from functions.settings.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

        claims = {"sub": "admin-1", "tocsin_projects": self.permissions}
        text = json.dumps(body) if body is not None else None
        return call(lambda_handler, method, f"/projects/{self.project}{path}", claims=claims, body=text)

    def listed(self, query: str = "") -> list[Json]:
        """All deliveries that the query asks for, page by page."""
        items: list[Json] = []
        for page in self.pages(query):
            items += page
        return items

    def pages(self, query: str = "") -> list[list[Json]]:
        """The pages of a list of deliveries."""
        pages: list[list[Json]] = []
        cursor: str | None = ""
        while cursor is not None:
            parts = [part for part in (query, f"cursor={cursor}" if cursor else "") if part]
            answer = self("GET", f"/deliveries?{'&'.join(parts)}")
            assert answer.status == 200, answer.body
            pages.append(answer.json["items"])
            cursor = answer.json["cursor"]
        return pages

    def story(self, recipient: str) -> Json:
        """The story of the newest delivery to this recipient."""
        newest = self.listed(f"recipient={recipient}")[0]
        return self("GET", f"/deliveries/{newest['delivery_id']}").json


@pytest.fixture
def admin(acme: Acme) -> Admin:
    """An admin of the test's project."""
    return Admin(acme.id, f"{acme.id}:admin")


@pytest.fixture
def viewer(acme: Acme) -> Admin:
    """Somebody who may only read the test's project."""
    return Admin(acme.id, f"{acme.id}:viewer")


def deliver_now(acme: Acme, deliver: Invoke, *recipients: str) -> None:
    """Let the message of the project's chunk arrive, and the seconds pass that it waited."""
    for recipient in recipients:
        acme.overwrite(recipient, retry_at=PAST)
    assert deliver(acme.pointer(), queue="BulkQueue") == []
