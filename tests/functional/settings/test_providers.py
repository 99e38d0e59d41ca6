"""The providers over HTTP: presets, guides, and mail accounts that use them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.data.presets import document

from functions.settings.app import lambda_handler
from tests.functional.deliver.stack import Acme
from tests.functional.http_api import call

if TYPE_CHECKING:
    from tests.functional.http_api import Answer

pytestmark = pytest.mark.usefixtures("whole_stack")

_CLIENT_ID = "11111111-aaaa-bbbb-cccc-555555555555"


@pytest.fixture
def project() -> str:
    """A project without a mail account."""
    acme = Acme()
    acme._save_project()  # noqa: SLF001  (what `save` does beside its account)
    return acme.id


def _ask(target: str, *, permissions: str = "acme:viewer", **more: Any) -> Answer:  # noqa: ANN401  (as `call` takes it)
    claims = {"sub": "admin-1", "tocsin_projects": permissions} | more.pop("claims", {})
    return call(lambda_handler, "GET", target, claims=claims, **more)


def _create(project: str, **document: Any) -> Answer:  # noqa: ANN401  (fields of any kind)
    body = {"name": "Ops", "senders": [{"email": "ops@acme.example"}]} | document
    claims = {"sub": "admin-1", "tocsin_projects": f"{project}:admin"}
    path = f"/projects/{project}/mail-accounts"
    return call(lambda_handler, "POST", path, claims=claims, body=json.dumps(body))


def _app_only(project: str) -> str:
    auth = {
        "type": "oauth2",
        "username": "ops@acme.example",
        "oauth2": {
            "grant": "client_credentials",
            "tenant_id": "acme.example",
            "client_id": _CLIENT_ID,
            "client_secret": "s3cret-of-app",
        },
    }
    account_id: str = _create(project, provider="m365", auth=auth).json["id"]
    return account_id


def _guide(answer: Answer, guide_id: str) -> str:
    text: str = next(guide["markdown"] for guide in answer.json["guides"] if guide["id"] == guide_id)
    return text


def test_all_providers_are_listed_with_their_guides() -> None:
    answer = _ask("/providers")

    assert answer.status == 200
    assert [item["id"] for item in answer.json["items"]] == list(document())
    named = {guide for item in answer.json["items"] for guide in item["guides"]}
    assert {guide["id"] for guide in answer.json["guides"]} == named
    assert len(answer.body) < 200_000  # API Gateway takes 6 MB from a function


def test_a_provider_is_shown_with_what_is_locked_and_what_is_free() -> None:
    (item,) = _ask("/providers?id=sendgrid").json["items"]

    assert item["relay"] == {
        "host": "smtp.sendgrid.net",
        "port": 587,
        "security": "starttls",
        "other_hosts": ["smtp.eu.sendgrid.net"],
        "other_ports": [{"port": 465, "security": "tls"}, {"port": 2525, "security": "starttls"}],
    }
    assert item["locked"] == ["transport", "relay.host", "relay.port", "relay.security", "auth.type", "auth.username"]
    assert item["free"] == ["senders", "limits"]
    assert (item["verified"], item["unverified"]) == (False, ["other_hosts"])
    assert item["transports"] == [{"name": "smtp", "available": True}]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sendgrid", ["sendgrid"]),
        ("microsoft365", ["m365", "m365_hve", "outlook"]),
        ("google", ["gworkspace", "gworkspace_relay"]),
        ("nobody", []),
    ],
)
def test_one_provider_is_found_by_any_of_its_names(name: str, found: list[str]) -> None:
    answer = _ask(f"/providers?id={name}")

    assert [item["id"] for item in answer.json["items"]] == found
    assert {guide["id"] for guide in answer.json["guides"]} == {
        guide for item in answer.json["items"] for guide in item["guides"]
    }


def test_guides_hold_the_redirect_uri_of_this_deployment() -> None:
    answer = _ask("/providers")

    assert answer.json["redirect_uri"] == "https://tocsin.example/oauth/callback"
    for guide in ("gmail-oauth", "microsoft-delegated", "microsoft-graph"):
        assert "\nhttps://tocsin.example/oauth/callback\n" in _guide(answer, guide).replace("   ", "")
    assert "evil.example" not in answer.body


def test_guides_are_filled_in_with_the_ids_of_an_account(project: str) -> None:
    named = f"project_id={project}&mail_account_id={_app_only(project)}"

    guide = _guide(_ask(f"/providers?{named}&object_id=0b1ec7", permissions=f"{project}:viewer"), "microsoft-app-only")

    assert f"New-ServicePrincipal -AppId '{_CLIENT_ID}' -ObjectId '0b1ec7'" in guide
    assert "Set-CASMailbox -Identity 'ops@acme.example'" in guide
    assert "s3cret-of-app" not in guide


def test_guides_are_filled_in_with_ids_of_an_account_that_is_not_saved_yet() -> None:
    guide = _guide(_ask(f"/providers?client_id={_CLIENT_ID}&tenant_id=acme.example"), "microsoft-app-only")

    assert f"-AppId '{_CLIENT_ID}'" in guide
    assert "-Organization 'acme.example'" in guide


def test_an_account_of_a_foreign_and_of_a_missing_project_are_answered_alike(project: str) -> None:
    account_id = _app_only(project)

    foreign = _ask(f"/providers?project_id={project}&mail_account_id={account_id}", permissions="other:admin")
    missing = _ask(f"/providers?project_id=nowhere&mail_account_id={account_id}", permissions="other:admin")

    assert foreign == missing
    assert foreign.status == 404


@pytest.mark.parametrize(
    ("query", "field"), [("project_id=acme", "mail_account_id"), ("mail_account_id=01JD", "project_id")]
)
def test_an_account_is_named_by_both_ids(query: str, field: str) -> None:
    answer = _ask(f"/providers?{query}")

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("permissions", "claims", "status"),
    [
        ("acme:viewer", {}, 200),
        ("*:admin", {}, 200),
        ("", {}, 403),
        ("*:admin", {"token_use": "id"}, 401),
    ],
)
def test_whoever_may_do_nothing_sees_nothing(permissions: str, claims: dict[str, str], status: int) -> None:
    assert _ask("/providers", permissions=permissions, claims=claims).status == status


def test_a_copy_that_is_still_right_is_not_sent_again() -> None:
    first = _ask("/providers")
    tag = first.headers["etag"]

    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = _ask("/providers", headers={"if-none-match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, "", tag)
    assert _ask("/providers?client_id=mine", headers={"if-none-match": tag}).status == 200
    assert _ask("/providers", headers={"if-none-match": '"other"'}).status == 200


def test_an_account_of_a_known_provider_needs_only_what_is_its_own(project: str) -> None:
    answer = _create(project, provider="sendgrid", auth={"type": "password", "password": "an-api-key"})

    assert answer.status == 201
    relay = {name: answer.json["relay"][name] for name in ("host", "port", "security")}
    assert relay == {"host": "smtp.sendgrid.net", "port": 587, "security": "starttls"}
    assert answer.json["auth"]["username"] == "apikey"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": "sendgrid", "relay": {"host": "smtp.evil.example"}}, "relay.host"),
        ({"provider": "sendgrid", "relay": {"port": 2500, "security": "tls"}}, "relay.port"),
        ({"provider": "nobody"}, "provider"),
        ({"provider": "generic"}, "relay.host"),
        ({"provider": "sendgrid", "transport": "ses"}, "transport"),
        ({"provider": "m365", "transport": "graph"}, "auth.type"),
        ({"provider": "gworkspace", "transport": "gmail"}, "auth.type"),
        ({"provider": "ses", "transport": "ses", "relay": {"host": "email-smtp.eu-west-1.amazonaws.com"}}, "auth.type"),
    ],
)
def test_what_goes_against_the_provider_is_not_saved(project: str, changes: dict[str, Any], field: str) -> None:
    auth = {"type": "password", "username": "apikey", "password": "pa55word"}

    answer = _create(project, auth=auth, **changes)

    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (422, [field])
    assert "evil" not in answer.body
    assert "pa55word" not in answer.body
