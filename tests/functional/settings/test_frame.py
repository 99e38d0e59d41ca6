"""What holds for every route: the door, problems, tags, cursors, and the interface's own document."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.ulid import is_ulid

from functions.settings.app import lambda_handler
from functions.settings.cursors import cursor_for
from tests.functional.http_api import call
from tests.functional.settings.conftest import PASSWORD, password_account

if TYPE_CHECKING:
    from tests.functional.settings.conftest import Desk

DEEP = '{"name": ' + "[" * 40 + "]" * 40 + "}"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("", {}, 422),
        ("{", {}, 400),
        ("[]", {}, 422),
        ("null", {}, 422),
        ('"text"', {}, 422),
        ("{}", {}, 422),
        ('{"name": NaN}', {}, 400),
        ('{"name": ' + "9" * 5000 + "}", {}, 400),
        ("[" * 30_000, {}, 400),
        (DEEP, {}, 422),
        ('{"name": "\\ud800"}', {}, 422),
        ('{"name": "' + "a" * 70_000 + '"}', {}, 413),
        ("name=Ops", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("{}", {"content-type": "application/merge-patch+json"}, 415),
        ("{}", {"content-type": "text/plain"}, 415),
    ],
    ids=[
        *("none", "cut", "list", "null", "text", "empty", "nan", "long-number", "unclosed", "deep", "surrogate"),
        *("large", "form", "merge-patch", "plain"),
    ],
)
def test_a_body_that_is_no_mail_account_is_a_problem(
    desk: Desk, body: str, headers: dict[str, str], status: int
) -> None:
    answer = desk.ask("POST", "", body or None, headers=headers)

    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (answer.json["status"], answer.json["type"]) == (status, "about:blank")
    assert desk.ask("GET", "").json["items"] == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_by_its_content_type(desk: Desk, content_type: str) -> None:
    assert desk.ask("POST", "", password_account(), headers={"content-type": content_type}).status == 201


def _call_with_base64(desk: Desk, body: str) -> int:
    event = {
        "version": "2.0",
        "rawPath": desk.path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": "POST", "path": desk.path},
            "stage": "$default",
            "authorizer": {"jwt": {"claims": {"sub": "a", "exp": "1800000000", "tocsin_projects": "*:admin"}}},
        },
        "isBase64Encoded": True,
        "body": body,
    }
    from tests.functional.conftest import Context  # noqa: PLC0415  (only here an event is made by hand)

    status: int = lambda_handler(event, Context())["statusCode"]  # type: ignore[arg-type]  # a stand-in for Lambda's own
    return status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b64encode(json.dumps(password_account()).encode()).decode(), 201),
        (b64encode(b"\xff\xfe").decode(), 400),
        ("!", 400),
    ],
    ids=["json", "no-utf-8", "no-base64"],
)
def test_a_body_in_base64_is_read_too(desk: Desk, body: str, status: int) -> None:
    assert _call_with_base64(desk, body) == status


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/projects/acme/nothing", 404, None),
        ("GET", "/nowhere", 404, None),
        ("POST", "/projects", 405, "GET"),
        ("PATCH", "/projects/acme", 405, "DELETE, GET, PUT"),
        ("DELETE", "/projects/acme/mail-accounts", 405, "GET, POST"),
        ("OPTIONS", "/openapi.json", 405, "GET"),
    ],
)
def test_what_is_no_route_is_a_problem_that_names_the_methods(
    desk: Desk, method: str, path: str, status: int, allow: str | None
) -> None:
    del desk
    answer = call(lambda_handler, method, path, claims={"sub": "a", "tocsin_projects": "*:admin"})

    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers.get("allow") == allow


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("curser=1", "curser"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=mail", "cursor"),
        ("cursor=%00", "cursor"),
        (f"cursor={urlsafe_b64encode(b'{}').decode()}", "cursor"),
        (f"q={'a' * 201}", "q"),
        ("status=broken", "status"),
    ],
)
def test_a_query_that_means_nothing_is_refused_by_its_name(desk: Desk, query: str, field: str) -> None:
    answer = desk.ask("GET", f"?{query}")

    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_list_goes_on_behind_its_cursor(desk: Desk) -> None:
    ids = sorted(desk.create(name=f"Number {number}")["id"] for number in range(3))

    first = desk.ask("GET", "?limit=2").json
    rest = desk.ask("GET", f"?limit=2&cursor={first['cursor']}").json

    assert [account["id"] for account in [*first["items"], *rest["items"]]] == ids
    assert rest["cursor"] is None
    assert desk.ask("GET", f"?cursor={first['cursor']}&q=number").status == 422  # of another list


@pytest.mark.parametrize("position", [{"after": "x" * 900}, {"after": "mail-account#"}, {"before": "1"}, {}])
def test_a_cursor_that_somebody_made_up_is_refused(desk: Desk, position: dict[str, str]) -> None:
    made_up = cursor_for(position, of=["mail-accounts", desk.project, None, None, None])

    assert desk.ask("GET", f"?cursor={made_up}").status == 422


def test_a_list_finds_accounts_by_name_slug_provider_and_status(desk: Desk) -> None:
    ops = desk.create(name="Ops", slug="night-shift")["id"]
    pages = desk.create(name="Pages", enabled=False)["id"]

    def found(query: str) -> list[str]:
        return [account["id"] for account in desk.ask("GET", f"?{query}").json["items"]]

    assert found("q=OPS") == found("q=night") == found("status=not_verified") == [ops]
    assert found("q=page") == found("status=disabled") == [pages]
    assert found("q=generic") == found("provider=generic") == [ops, pages]
    assert found("provider=google") == found("q=nobody") == []


def test_a_search_reads_on_until_its_page_is_full(desk: Desk) -> None:
    ids = [desk.create(name=f"{'Odd' if number % 2 else 'Even'} {number}")["id"] for number in range(5)]

    first = desk.ask("GET", "?q=odd&limit=1").json
    rest = desk.ask("GET", f"?q=odd&limit=1&cursor={first['cursor']}").json
    end = desk.ask("GET", f"?q=odd&cursor={rest['cursor']}").json if rest["cursor"] else {"items": []}

    assert [account["id"] for account in [*first["items"], *rest["items"], *end["items"]]] == [ids[1], ids[3]]


@pytest.mark.parametrize("path", ["/providers", "/projects", "", "/{account}"])
def test_what_the_caller_has_is_not_sent_again(desk: Desk, path: str) -> None:
    path = path.replace("{account}", desk.create()["id"])
    tag = desk.ask("GET", path).headers["etag"]

    again = desk.ask("GET", path, headers={"if-none-match": f'"other", W/{tag}'})

    assert (again.status, again.body, again.headers["etag"]) == (304, "", tag)
    assert desk.ask("GET", path, headers={"if-none-match": '"other"'}).status == 200


def test_what_is_found_out_changes_the_tag_and_loses_nobody_an_edit(desk: Desk) -> None:
    account_id = desk.create()["id"]
    tag = desk.ask("GET", f"/{account_id}").headers["etag"]
    desk.found_out(account_id, status="verified", verified_at="2026-11-21T09:30:00Z")

    assert desk.ask("GET", f"/{account_id}", headers={"if-none-match": tag}).json["status"] == "verified"
    assert desk.ask("PATCH", f"/{account_id}", {"name": "New"}, headers={"if-match": tag}).status == 200


def test_the_interface_tells_of_itself_to_everybody(desk: Desk) -> None:
    del desk
    answer = call(lambda_handler, "GET", "/openapi.json")

    document: Any = answer.json
    assert (answer.status, document["openapi"][:3]) == (200, "3.1")
    assert document["servers"] == [{"url": "https://tocsin.example"}]
    assert document["paths"]["/openapi.json"]["get"]["security"] == []
    assert document["security"] == [{"token": []}]


def test_an_id_of_a_new_account_is_a_ulid_and_its_answer_no_secret(desk: Desk) -> None:
    answer = desk.ask("POST", "", password_account())

    assert is_ulid(answer.json["id"])
    assert PASSWORD not in answer.body
    assert answer.headers["cache-control"] == "no-store"
