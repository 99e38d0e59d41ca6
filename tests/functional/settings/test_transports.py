"""Transports that are to come: their settings are checked and kept, and everything says that they are not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.settings.conftest import oauth2_account, password_account

if TYPE_CHECKING:
    from tests.functional.settings.conftest import Desk, Json

GRAPH = oauth2_account("client_credentials", tenant_id="acme.example") | {"transport": "graph"}
GMAIL = oauth2_account("authorization_code", tenant_id=None) | {"transport": "gmail", "provider": "google", "relay": {}}
SES = password_account(
    provider="ses",
    transport="ses",
    relay={"host": "email-smtp.eu-west-1.amazonaws.com"},
    auth={"type": "none"},
)


@pytest.mark.parametrize("document", [GRAPH, GMAIL, SES], ids=["graph", "gmail", "ses"])
def test_its_settings_are_kept_with_secrets_that_nobody_reads(desk: Desk, document: Json) -> None:
    account = desk.create(**document)

    shown = desk.ask("GET", f"/{account['id']}")
    assert (shown.json["transport"], shown.json["status"]) == (document["transport"], "not_available")
    assert "s3cret-of-app" not in shown.body
    if document is not SES:
        assert desk.secret(account["id"])["client_secret"] == "s3cret-of-app"


def test_it_is_found_by_its_status_until_it_goes_by_smtp(desk: Desk) -> None:
    graph, smtp = desk.create(**GRAPH)["id"], desk.create()["id"]

    assert [one["id"] for one in desk.ask("GET", "?status=not_available").json["items"]] == [graph]
    assert [one["id"] for one in desk.ask("GET", "?status=not_verified").json["items"]] == [smtp]
    assert desk.patch(graph, {"transport": "smtp"}).json["status"] == "not_verified"
    assert desk.patch(graph, {"transport": "graph", "enabled": False}).json["status"] == "disabled"


@pytest.mark.parametrize("what", ["verification", "test-message"])
def test_trying_it_says_so_and_what_to_do(desk: Desk, what: str) -> None:
    account_id = desk.create(**GRAPH)["id"]

    report = desk.ask("POST", f"/{account_id}/{what}", {"to": "ana@example.org"} if what == "test-message" else None)

    assert (report.status, report.json["passed"], report.json["failed_step"]) == (200, False, "settings")
    assert report.json["reply"]["text"] == "transport_not_available"
    assert "not available yet" in report.json["remedy"]


def test_validate_and_save_does_not_save_it(desk: Desk) -> None:
    answer = desk.ask("POST", "?validate=true", GRAPH)

    assert (answer.status, answer.json["report"]["failed_step"]) == (422, "settings")
    assert "not available yet" in answer.json["remedy"]
    assert desk.ask("GET", "").json["items"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"transport": "gmail"}, "transport"),
        ({"auth": {"type": "password", "username": "ops@acme.example", "password": "x"}}, "auth.type"),
        ({"auth": GRAPH["auth"] | {"oauth2": GRAPH["auth"]["oauth2"] | {"client_id": ""}}}, "auth.oauth2.client_id"),
        ({"senders": []}, "senders"),
    ],
    ids=["of-another-provider", "by-password", "without-a-client", "without-a-sender"],
)
def test_its_settings_are_checked(desk: Desk, changes: Json, field: str) -> None:
    answer = desk.ask("POST", "", GRAPH | changes)

    assert answer.status == 422
    assert field in {error["field"] for error in answer.json["errors"]}
