"""A project's own templates over HTTP: written, tried out, previewed, read, and kept by version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tocsin import wiring, wiring_templates
from tocsin.adapters.template_failures import TemplateFailures
from tocsin.model.custom_template import BrokenTemplate

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from tests.functional.http_api import Answer
    from tests.functional.settings.conftest import Desk

TYPE = "incident.created"
PAGE_TYPE = "status_page.incident_created"
SOURCES = {
    "subject": "[{{ brand.name }}] {{ incident.title }}",
    "text": "Dear {{ recipient.name or 'all' }},\n{{ incident.title }} since {{ incident.declared_at }}.",
    "html": "<p>Dear {{ recipient.name or 'all' }}, <b>{{ incident.title }}</b></p>{{ incident.description|markdown }}",
}


def _ask(desk: Desk, method: str, path: str, body: object = None, **more: Any) -> Answer:  # noqa: ANN401  (as `Desk.ask`)
    headers = {name.replace("_", "-"): more.pop(name) for name in ("if_match", "if_none_match") if name in more}
    return desk.ask(method, f"/projects/{desk.project}/templates{path}", body, headers=headers, **more)


def _save_project(desk: Desk, **settings: object) -> None:
    answer = desk.ask("PUT", f"/projects/{desk.project}", {"name": "Renamed", **settings}, headers={"if-match": "*"})
    assert answer.status == 200, answer.body


def test_a_template_is_saved_read_and_listed(desk: Desk) -> None:
    made = _ask(desk, "PUT", f"/{TYPE}", SOURCES)
    read = _ask(desk, "GET", f"/{TYPE}")
    listed = _ask(desk, "GET", "").json

    assert (made.status, made.headers["etag"], read.headers["etag"]) == (201, '"1"', '"1"')
    assert made.json == read.json
    assert {name: read.json[name] for name in SOURCES} == SOURCES
    assert (read.json["type"], read.json["status_page_id"], read.json["version"]) == (TYPE, None, 1)
    assert (read.json["updated_by"], read.json["last_error"]) == ("admin-1", None)
    [item] = listed["items"]
    assert item == {name: read.json[name] for name in item if name != "parts"} | {"parts": ["subject", "text", "html"]}
    assert not item.keys() & SOURCES.keys()


@pytest.mark.parametrize(
    ("permissions", "read", "write"),
    [("{id}:viewer", 200, 403), ("{id}:admin", 200, 200), ("*:admin", 200, 200), ("other:admin", 404, 404)],
)
def test_viewers_read_and_preview_and_admins_write(desk: Desk, permissions: str, read: int, write: int) -> None:
    _ask(desk, "PUT", f"/{TYPE}", SOURCES)
    who = {"permissions": permissions.replace("{id}", desk.project)}

    assert _ask(desk, "GET", "", **who).status == read
    assert _ask(desk, "GET", f"/{TYPE}", **who).status == read
    assert _ask(desk, "POST", f"/{TYPE}/preview", {}, **who).status == read
    assert _ask(desk, "PUT", f"/{TYPE}", SOURCES, if_match="*", **who).status == write
    assert _ask(desk, "DELETE", f"/{TYPE}", **who).status == {200: 204}.get(write, write)


@pytest.mark.parametrize("type_", ["incident.nothing", "settings.test_message"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_a_type_that_has_no_templates_is_not_there(desk: Desk, method: str, type_: str) -> None:
    body = {"GET": None, "DELETE": None, "POST": {}}.get(method, SOURCES)
    preview = "/preview" if method == "POST" else ""

    assert _ask(desk, method, f"/{type_}{preview}", body).status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428),
        ({"if_match": '"1"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"2"'}, 412),
        ({"if_match": "*", "if_none_match": "*"}, 412),
    ],
)
def test_a_template_is_replaced_only_by_who_names_its_version(desk: Desk, headers: dict[str, str], status: int) -> None:
    _ask(desk, "PUT", f"/{TYPE}", SOURCES, if_none_match="*")

    answer = _ask(desk, "PUT", f"/{TYPE}", {"subject": "New"}, **headers)

    assert answer.status == status
    assert _ask(desk, "GET", f"/{TYPE}").json["version"] == (2 if status == 200 else 1)


def test_saving_what_is_there_makes_no_version(desk: Desk) -> None:
    _ask(desk, "PUT", f"/{TYPE}", SOURCES)

    assert _ask(desk, "PUT", f"/{TYPE}", SOURCES, if_match="*").json["version"] == 1


def test_the_last_ten_versions_are_kept_and_go_on_after_a_deletion(desk: Desk) -> None:
    for number in range(1, 14):
        _ask(desk, "PUT", f"/{TYPE}", {"subject": f"Number {number}"}, **({"if_match": "*"} if number > 1 else {}))

    def subject(version: int) -> str | int:
        answer = _ask(desk, "GET", f"/{TYPE}?version={version}")
        return answer.json["subject"] if answer.status == 200 else answer.status

    assert [subject(version) for version in (2, 3, 12, 13, 14)] == [404, "Number 3", "Number 12", "Number 13", 404]
    assert _ask(desk, "DELETE", f"/{TYPE}", if_match='"12"').status == 412
    assert _ask(desk, "DELETE", f"/{TYPE}", if_match='"13"').status == 204
    assert _ask(desk, "GET", f"/{TYPE}").status == 404
    assert [subject(version) for version in (3, 4, 13)] == [404, "Number 4", "Number 13"]
    assert _ask(desk, "PUT", f"/{TYPE}", {"subject": "Again"}).json["version"] == 14
    assert len(desk.items("template-version#")) == 10


@pytest.mark.parametrize(
    ("sources", "field", "line", "said"),
    [
        ({"subject": "{{ incident.titel }}"}, "subject", 1, "no titel in incident"),
        ({"subject": "{{ recipient.name }}"}, "subject", 1, "no variable recipient"),
        ({"text": "Hello\n{{ monitor.name }}"}, "text", 2, "no variable monitor"),
        ({"html": "<p>\n\n{{ incident.title|shout }}"}, "html", 3, "no filter shout"),
        ({"html": "<p>\n{% include 'x' %}"}, "html", 2, "{% include %} is not allowed"),
        ({"text": "{% for r in incident.resources %}"}, "text", 1, "Unexpected end of template"),
        ({"text": "\n{{ incident.title + 1 }}"}, "text", 2, "numbers of ordinary size"),
        ({"text": "{{ incident.declared_by|upper }}{{ recipient.name|upper }}"}, "text", 1, "recipient's own"),
        ({"text": "a{% if reader.language == 'ja' %}{{ 1 / 0 }}{% endif %}"}, "text", 1, "ZeroDivisionError"),
        ({"text": "a{% if not recipient.role %}{{ 1 / 0 }}{% endif %}"}, "text", 1, "ZeroDivisionError"),
        ({"html": "<p style='color:{{ recipient.name }}'>x</p>"}, "html", None, "the attribute style"),
        ({"html": "<script>alert(1)</script>"}, "html", None, "writes nothing"),
        ({"subject": "{% if incident.severity %}Severe{% endif %}"}, "subject", None, "writes nothing"),
        ({}, "(body)", None, "at least one of"),
        ({"subject": None}, "(body)", None, "at least one of"),
        ({"subject": ""}, "subject", None, "at least 1 character"),
        ({"subject": "x" * 1_001}, "subject", None, "at most 1000 characters"),
        ({"html": "x" * 30_001}, "html", None, "at most 30000 characters"),
        ({"text": "a\x00b"}, "text", None, "cannot be shown"),
        ({"css": "a"}, "css", None, "not permitted"),
    ],
)
def test_what_cannot_be_saved_is_answered_with_part_and_line(
    desk: Desk, sources: dict[str, Any], field: str, line: int | None, said: str
) -> None:
    answer = _ask(desk, "PUT", f"/{TYPE}", sources)

    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    [error] = answer.json["errors"]
    assert (error["field"], error.get("line")) == (field, line)
    assert said in error["problem"]
    assert _ask(desk, "GET", f"/{TYPE}").status == 404


def test_every_problem_of_a_template_is_told_at_once_with_what_helps(desk: Desk) -> None:
    answer = _ask(desk, "PUT", f"/{TYPE}", {"subject": "{{ a }}{{ b }}", "html": "{{ incident.c }}"})

    assert [error["field"] for error in answer.json["errors"]] == ["subject", "subject", "html"]
    assert "incident" in answer.json["errors"][0]["remedy"]
    assert "declared_at" in answer.json["errors"][2]["remedy"]


@pytest.mark.parametrize("wanted", [SOURCES, {}], ids=["unsaved", "saved"])
def test_a_preview_shows_the_mail_in_its_frame(desk: Desk, wanted: dict[str, str]) -> None:
    if not wanted:
        _ask(desk, "PUT", f"/{TYPE}", SOURCES)
    _save_project(desk, branding={"footer": "Acme GmbH"})

    preview = _ask(desk, "POST", f"/{TYPE}/preview", {**wanted, "time_zone": "Asia/Tokyo"}).json

    assert preview["subject"] == "[Renamed] Checkout is down"
    assert preview["text"].startswith("Dear Ana Pérez,\nCheckout is down since")
    assert "Asia/Tokyo" in preview["text"]
    assert "Dear Ana Pérez, <b>Checkout is down</b>" in preview["html"]
    assert all("Acme GmbH" in preview[body] for body in ("text", "html"))
    assert preview["custom_parts"] == ["subject", "text", "html"]
    assert "<!DOCTYPE html>" in preview["html"]


def test_without_a_template_the_built_in_mail_is_previewed_with_the_data_that_are_given(desk: Desk) -> None:
    data = {"incident": {"id": "1", "title": "Search is <slow>"}}

    preview = _ask(desk, "POST", f"/{TYPE}/preview", {"data": data, "locale": "de"}).json

    assert "Search is <slow>" in preview["subject"]
    assert "Search is &lt;slow&gt;" in preview["html"]
    assert 'lang="de"' in preview["html"]
    assert preview["custom_parts"] == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"data": {}}, "data.incident"),
        ({"data": {"incident": {"id": "1"}}}, "data.incident.title"),
        ({"data": {"incident": "down"}}, "data.incident"),
        ({"subject": "{{ nope }}"}, "subject"),
        ({"locale": "x" * 36}, "locale"),
    ],
)
def test_a_preview_that_cannot_be_shown_is_a_problem(desk: Desk, wanted: dict[str, Any], field: str) -> None:
    answer = _ask(desk, "POST", f"/{TYPE}/preview", wanted)

    assert answer.status == 422
    assert field in {error["field"] for error in answer.json["errors"]}


def test_a_status_page_has_templates_of_its_own(desk: Desk) -> None:
    query = "?status_page_id=public"
    _ask(desk, "PUT", f"/{PAGE_TYPE}", {"subject": "All pages"})
    _ask(desk, "PUT", f"/{PAGE_TYPE}{query}", {"subject": "One page"})

    assert _ask(desk, "GET", f"/{PAGE_TYPE}").json["subject"] == "All pages"
    assert _ask(desk, "GET", f"/{PAGE_TYPE}{query}").json["subject"] == "One page"
    assert _ask(desk, "POST", f"/{PAGE_TYPE}/preview{query}", {}).json["subject"] == "One page"
    assert _ask(desk, "POST", f"/{PAGE_TYPE}/preview?status_page_id=other", {}).json["subject"] == "All pages"
    assert [one["status_page_id"] for one in _ask(desk, "GET", "").json["items"]] == [None, "public"]


@pytest.mark.parametrize(
    ("type_", "page", "status"), [(TYPE, "public", 422), (PAGE_TYPE, "a%23b", 422), (PAGE_TYPE, "a%20b", 422)]
)
def test_a_status_page_that_cannot_be_is_refused(desk: Desk, type_: str, page: str, status: int) -> None:
    answer = _ask(desk, "PUT", f"/{type_}?status_page_id={page}", {"subject": "x"})

    assert (answer.status, answer.json["errors"][0]["field"]) == (status, "status_page_id")


def test_a_list_goes_on_behind_its_cursor(desk: Desk) -> None:
    for type_ in (TYPE, PAGE_TYPE):
        _ask(desk, "PUT", f"/{type_}", {"subject": "x"})

    first = _ask(desk, "GET", "?limit=1").json
    rest = _ask(desk, "GET", f"?limit=1&cursor={first['cursor']}").json

    assert [one["type"] for one in (*first["items"], *rest["items"])] == [TYPE, PAGE_TYPE]


def test_changes_are_in_the_audit_without_their_sources(desk: Desk) -> None:
    _ask(desk, "PUT", f"/{TYPE}", SOURCES)
    _ask(desk, "PUT", f"/{TYPE}", SOURCES | {"subject": "New"}, if_match="*")
    _ask(desk, "DELETE", f"/{TYPE}")

    assert [(entry["action"], entry["subject"], entry["fields"], entry["details"]) for entry in desk.audit()] == [
        ("template.created", TYPE, ["subject", "text", "html"], {"version": 1}),
        ("template.changed", TYPE, ["subject"], {"version": 2}),
        ("template.deleted", TYPE, [], {"version": 2}),
    ]


def test_a_project_goes_only_without_templates(desk: Desk) -> None:
    _ask(desk, "PUT", f"/{TYPE}", SOURCES)
    refused = desk.ask("DELETE", f"/projects/{desk.project}", permissions="*:admin")
    _ask(desk, "DELETE", f"/{TYPE}")

    assert (refused.status, refused.json["remedy"]) == (409, "Delete its templates first.")
    assert desk.ask("DELETE", f"/projects/{desk.project}", permissions="*:admin").status == 204


def test_how_a_template_failed_is_shown_and_makes_nobody_lose(desk: Desk) -> None:
    tag = _ask(desk, "PUT", f"/{TYPE}", SOURCES).headers["etag"]
    saved = wiring_templates.configure_templates().templates.read(desk.project, TYPE)
    assert saved is not None
    tell = TemplateFailures(wiring.client("dynamodb"), "SettingsTable", clock=lambda: NOW, on_failure=lambda *_: None)
    tell(saved, BrokenTemplate("it fails", part="html", line=3))

    read = _ask(desk, "GET", f"/{TYPE}")
    listed = _ask(desk, "GET", "").json["items"]

    failure = {"at": "2026-11-21T09:30:00Z", "part": "html", "line": 3, "reason": "it fails"}
    assert read.json["last_error"] == listed[0]["last_error"] == failure
    assert read.headers["etag"] != tag
    assert _ask(desk, "PUT", f"/{TYPE}", {"subject": "New"}, if_match=tag).json["last_error"] is None
