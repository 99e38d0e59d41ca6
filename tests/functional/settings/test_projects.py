"""Projects over HTTP: who makes them, who changes them, and when they may go."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from functions.settings.app import lambda_handler
from tests.functional.http_api import call

if TYPE_CHECKING:
    from tests.functional.http_api import Answer
    from tests.functional.settings.conftest import Desk

_numbers = count(1)


def _ask(method: str, path: str, body: object = None, *, permissions: str = "*:admin", **headers: str) -> Answer:
    return call(
        lambda_handler,
        method,
        path,
        claims={"sub": "admin-1", "tocsin_projects": permissions},
        body=None if body is None else json.dumps(body),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


@pytest.fixture
def new_id(desk: Desk) -> str:
    """The id of a project that is not there yet."""
    del desk
    return f"new-{next(_numbers)}"


def test_an_admin_of_all_projects_makes_a_new_one(new_id: str) -> None:
    answer = _ask("PUT", f"/projects/{new_id}", {"name": "New"})

    assert (answer.status, answer.headers["etag"]) == (201, '"1"')
    assert answer.json == _ask("GET", f"/projects/{new_id}", permissions=f"{new_id}:viewer").json
    assert answer.json["fallback_policy"] == "none"
    assert answer.json["on_unknown"] == "hold"
    assert answer.json["tracking"] == {"opens": False, "clicks": False}
    assert answer.json["failed_summary"] is True


@pytest.mark.parametrize(
    ("permissions", "status"),
    [("{id}:admin", 404), ("{id}:viewer", 404), ("other:admin", 404), ("", 404), ("*:admin", 201)],
)
def test_nobody_else_makes_projects(new_id: str, permissions: str, status: int) -> None:
    answer = _ask("PUT", f"/projects/{new_id}", {"name": "New"}, permissions=permissions.replace("{id}", new_id))

    assert answer.status == status


@pytest.mark.parametrize(
    ("permissions", "get", "put", "delete"),
    [
        ("{id}:viewer", 200, 403, 403),
        ("{id}:admin", 200, 200, 204),
        ("*:admin", 200, 200, 204),
        ("other:admin", 404, 404, 404),
        ("*:viewer", 404, 404, 404),
        ("", 404, 404, 404),
    ],
)
def test_the_claim_decides_what_may_be_done(desk: Desk, permissions: str, get: int, put: int, delete: int) -> None:
    path, permissions = f"/projects/{desk.project}", permissions.replace("{id}", desk.project)

    assert _ask("GET", path, permissions=permissions).status == get
    assert _ask("PUT", path, {"name": "A"}, permissions=permissions, if_match="*").status == put
    assert _ask("DELETE", path, permissions=permissions).status == delete


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_foreign_missing_and_impossible_projects_are_answered_alike(desk: Desk, method: str) -> None:
    body = {"name": "A"} if method == "PUT" else None
    ids = (desk.project, "nowhere", "_nowhere", "UPPER", "a" * 3000)

    foreign, *others = [_ask(method, f"/projects/{one}", body, permissions="other:admin nowhere:admin") for one in ids]

    assert foreign.status == 404
    assert all(other == foreign for other in others)


def test_all_fields_are_kept(desk: Desk) -> None:
    first, second = desk.create()["id"], desk.create()["id"]
    document = {
        "name": "Acme",
        "routes": {"incident": [first, second], "alert": [second]},
        "default_mail_account_id": first,
        "fallback_policy": "system",
        "on_unknown": "resubmit",
        "subject_style": "descriptive",
        "admins": [{"email": "boss@acme.example", "name": "Boss"}],
        "branding": {
            "logo_url": "https://acme.example/logo.png",
            "color": "#0a0b0c",
            "background_color": "#FFFFFF",
            "footer": "Acme Ltd",
        },
        "status_pages": {
            "public": {
                "branding": {"logo_url": None, "color": "#0a0b0c", "background_color": None, "footer": "Acme Status"},
                "sender": "status@acme.example",
            }
        },
        "limits": {"per_minute": 10, "per_day": 100, "per_month": 1000},
        "tracking": {"opens": True, "clicks": True},
        "storm_control": {"enabled": False, "window_seconds": 300, "mails_per_thread": 5, "mails_in_all": 50},
        "failed_summary": False,
        "calendar": False,
    }

    answer = _ask("PUT", f"/projects/{desk.project}", document, if_match="*")

    assert answer.status == 200
    assert {name: answer.json[name] for name in document} == document


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 7}, "name"),
        ({"nonsense": 1}, "nonsense"),
        ({"routes": {"pager": []}}, "routes.pager.[key]"),
        ({"routes": {"incident": ["mail"]}}, "routes.incident.0"),
        ({"routes": {"incident": ["01JD7Z0000000000000000N0NE"]}}, "routes.incident.0"),
        ({"routes": {"incident": ["01JD7Z0000000000000000N0NE"] * 2}}, "(body)"),
        ({"routes": {"incident": ["01JD7Z0000000000000000N0NE"] * 11}}, "routes.incident"),
        ({"default_mail_account_id": "01JD7Z0000000000000000N0NE"}, "default_mail_account_id"),
        ({"fallback_policy": "any"}, "fallback_policy"),
        ({"on_unknown": "guess"}, "on_unknown"),
        ({"subject_style": "loud"}, "subject_style"),
        ({"admins": [{"email": "nobody"}]}, "admins.0.email"),
        ({"admins": [{"email": "a@b.example"}] * 51}, "admins"),
        ({"branding": {"logo_url": "http://acme.example/logo.png"}}, "branding.logo_url"),
        ({"branding": {"logo_url": "https://user@acme.example/logo.png"}}, "branding.logo_url"),
        ({"branding": {"logo_url": "javascript:alert(1)"}}, "branding.logo_url"),
        ({"branding": {"color": "red"}}, "branding.color"),
        ({"branding": {"font": "Comic Sans"}}, "branding.font"),
        ({"status_pages": {"public": {"branding": {"color": "red"}}}}, "status_pages.public.branding.color"),
        ({"status_pages": {"public": {"sender": "nobody"}}}, "status_pages.public.sender"),
        ({"status_pages": {"public": {"font": "Comic Sans"}}}, "status_pages.public.font"),
        ({"status_pages": {"a page": {}}}, "status_pages.a page.[key]"),
        ({"status_pages": {str(number): {} for number in range(101)}}, "status_pages"),
        ({"limits": {"per_minute": 0}}, "limits.per_minute"),
        ({"limits": {"per_minute": 10**12}}, "limits.per_minute"),
        ({"limits": {"per_minute": "10"}}, "limits.per_minute"),
        ({"limits": {"per_minute": True}}, "limits.per_minute"),
        ({"tracking": {"opens": "yes"}}, "tracking.opens"),
        ({"tracking": {"reads": True}}, "tracking.reads"),
        ({"tracking": True}, "tracking"),
        ({"storm_control": {"window_seconds": 59}}, "storm_control.window_seconds"),
        ({"storm_control": {"mails_per_thread": 0}}, "storm_control.mails_per_thread"),
        ({"storm_control": {"mails_in_all": 1001}}, "storm_control.mails_in_all"),
        ({"storm_control": {"enabled": "no"}}, "storm_control.enabled"),
        ({"failed_summary": "no"}, "failed_summary"),
    ],
)
def test_what_cannot_be_saved_is_answered_with_its_field(desk: Desk, changes: dict[str, Any], field: str) -> None:
    before = _ask("GET", f"/projects/{desk.project}")
    answer = _ask("PUT", f"/projects/{desk.project}", {"name": "Acme"} | changes, if_match="*")

    assert answer.status == 422
    assert field in {error["field"] for error in answer.json["errors"]}
    assert _ask("GET", f"/projects/{desk.project}") == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428),
        ({"if_match": '"1"'}, 200),
        ({"if_match": '"9", "1"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"2"'}, 412),
        ({"if_match": 'W/"1"'}, 412),
        ({"if_match": "1"}, 412),
        ({"if_match": "*", "if_none_match": "*"}, 412),
    ],
)
def test_a_project_is_replaced_only_by_who_names_its_version(desk: Desk, headers: dict[str, str], status: int) -> None:
    assert _ask("PUT", f"/projects/{desk.project}", {"name": "Other"}, **headers).status == status


@pytest.mark.parametrize(("headers", "status"), [({"if_match": "*"}, 412), ({"if_none_match": "*"}, 201)])
def test_a_new_project_has_no_version_to_match(new_id: str, headers: dict[str, str], status: int) -> None:
    assert _ask("PUT", f"/projects/{new_id}", {"name": "New"}, **headers).status == status


def test_of_two_admins_who_save_at_once_one_wins(desk: Desk) -> None:
    path = f"/projects/{desk.project}"
    tag = _ask("GET", path).headers["etag"]

    statuses = [_ask("PUT", path, {"name": name}, if_match=tag).status for name in ("First", "Second")]

    assert statuses == [200, 412]
    assert _ask("GET", path).json["name"] == "First"


def test_saving_what_is_there_changes_nothing(desk: Desk) -> None:
    path = f"/projects/{desk.project}"
    document = _ask("GET", path).json
    document = {name: value for name, value in document.items() if name not in {"project_id", "version", "routes"}}
    first = _ask("PUT", path, document, if_match="*")
    again = _ask("PUT", path, document, if_match=first.headers["etag"])

    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(("if_match", "status"), [(None, 204), ('"1"', 204), ('"2"', 412)])
def test_a_project_goes_only_without_mail_accounts(desk: Desk, if_match: str | None, status: int) -> None:
    path, headers = f"/projects/{desk.project}", {"if_match": if_match} if if_match else {}
    account_id = desk.create()["id"]
    in_use = _ask("DELETE", path, **headers)
    desk.ask("DELETE", f"/{account_id}")

    assert in_use.status == (409 if status == 204 else 412)
    assert _ask("DELETE", path, **headers).status == status
    assert _ask("GET", path).status == (404 if status == 204 else 200)


def test_the_installation_s_own_project_is_made_like_others(desk: Desk) -> None:
    del desk
    made = _ask("PUT", "/projects/_system", {"name": "Installation"}, if_none_match="*")
    listed = _ask("GET", "/projects", permissions="_system:viewer")
    gone = _ask("DELETE", "/projects/_system")

    assert (made.status, gone.status) == (201, 204)
    assert [project["project_id"] for project in listed.json["items"]] == ["_system"]


@pytest.mark.parametrize("project_id", ["UPPER", "-a", "_other", "a" * 64, "a.b", "_projects"])
def test_a_project_s_id_is_a_name(desk: Desk, project_id: str) -> None:
    del desk
    answer = _ask("PUT", f"/projects/{project_id}", {"name": "New"})

    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (422, ["project_id"])


def test_callers_list_the_projects_that_they_may_see(new_id: str) -> None:
    for suffix in ("a", "b", "c"):
        _ask("PUT", f"/projects/{new_id}-{suffix}", {"name": suffix})
    permissions = f"{new_id}-a:viewer {new_id}-c:admin {new_id}-nowhere:admin"

    def pages(permissions: str) -> list[str]:
        ids: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = _ask("GET", f"/projects?limit=2{cursor}", permissions=permissions).json
            ids += [project["project_id"] for project in answer["items"]]
            cursor = f"&cursor={answer['cursor']}" if answer["cursor"] else None
        return ids

    assert pages(permissions) == [f"{new_id}-a", f"{new_id}-c"]
    assert {f"{new_id}-a", f"{new_id}-b", f"{new_id}-c"} <= set(pages("*:admin"))
    assert pages("") == []


@pytest.mark.parametrize("way", ["one", "several"])
def test_an_account_that_is_deleted_is_named_no_more(desk: Desk, way: str) -> None:
    path = f"/projects/{desk.project}"
    gone, stays = desk.create()["id"], desk.create()["id"]
    routes = {"incident": [gone, stays], "alert": [gone], "system": [stays]}
    _ask("PUT", path, {"name": "Acme", "routes": routes, "default_mail_account_id": gone}, if_match="*")

    answer = desk.ask(*(("DELETE", f"/{gone}") if way == "one" else ("POST", "/bulk-delete", {"ids": [gone]})))

    project = _ask("GET", path).json
    assert answer.status < 300, answer.body
    assert project["routes"] == {"incident": [stays], "alert": [], "system": [stays]}
    assert (project["default_mail_account_id"], project["version"]) == (None, 3)
    again = {name: value for name, value in project.items() if name not in {"project_id", "version"}} | {"name": "New"}
    assert _ask("PUT", path, again, if_match='"3"').status == 200
    changes = [entry["fields"] for entry in desk.audit() if entry["action"] == "project.changed"]
    assert ["default_mail_account_id", "routes.alert", "routes.incident"] in changes


def test_deleting_an_account_that_nobody_names_leaves_the_project_as_it_is(desk: Desk) -> None:
    tag = _ask("GET", f"/projects/{desk.project}").headers["etag"]

    desk.ask("DELETE", f"/{desk.create()['id']}")

    assert _ask("GET", f"/projects/{desk.project}").headers["etag"] == tag


def test_new_routes_let_go_what_is_parked(desk: Desk) -> None:
    path = f"/projects/{desk.project}"
    old, new = desk.create()["id"], desk.create()["id"]
    _ask("PUT", path, {"name": "Acme", "routes": {"incident": [old]}}, if_match="*")
    before = {item["sk"]["S"] for item in desk.items("redrive#")}
    _ask("PUT", path, {"name": "Renamed", "routes": {"incident": [old]}}, if_match="*")

    assert {item["sk"]["S"] for item in desk.items("redrive#")} == before
    _ask("PUT", path, {"name": "Renamed", "routes": {"incident": [new]}}, if_match="*")
    assert {"redrive#none", f"redrive#{old}", f"redrive#{new}"} <= {item["sk"]["S"] for item in desk.items("redrive#")}


def test_the_audit_tells_who_changed_which_fields(desk: Desk) -> None:
    path = f"/projects/{desk.project}"
    _ask("PUT", path, {"name": "Renamed", "branding": {"color": "#000000"}}, if_match="*")
    _ask("DELETE", path)

    assert [{**entry, "details": None} for entry in desk.audit()] == [
        {
            "admin": "admin-1",
            "action": action,
            "subject": desk.project,
            "fields": fields,
            "details": None,
        }
        for action, fields in (
            ("project.changed", ["branding.color", "name", "routes.alert", "routes.incident", "routes.status_page"]),
            ("project.deleted", []),
        )
    ]
