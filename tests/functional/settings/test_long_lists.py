"""Lists of large items: every one of them is shown, on pages that fit into an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.settings.conftest import Desk, Json

LAMBDA_ANSWERS = 6_291_556
"""Octets of a function's answer, in which the body is text of JSON in JSON."""

SIGNATURE = f"<p>{'s' * 19_000}</p>"


def _pages(desk: Desk, path: str, *, permissions: str) -> Iterator[list[Json]]:
    """The items of each page, of which every one fits into an answer."""
    cursor = ""
    while cursor is not None:
        answer = desk.ask("GET", f"{path}?{cursor and f'cursor={cursor}'}", permissions=permissions)
        assert answer.status == 200, answer.body
        assert len(json.dumps(answer.body)) < LAMBDA_ANSWERS
        yield answer.json["items"]
        cursor = answer.json["cursor"]


def _shown(desk: Desk, path: str, *, key: str, permissions: str | None = None) -> list[str]:
    pages = list(_pages(desk, path, permissions=permissions or f"{desk.project}:viewer"))
    assert len(pages) > 1
    assert all(pages[:-1])
    return [item[key] for page in pages for item in page]


def test_every_mail_account_is_shown_however_large_they_are(desk: Desk) -> None:
    senders = [{"email": f"{name}@acme.example", "signature": SIGNATURE} for name in ("ops", "noc", "sre")]
    made = [desk.create(name=f"Ops {number}", senders=senders)["id"] for number in range(32)]

    assert _shown(desk, desk.path, key="id") == made


def test_every_project_is_shown_however_large_they_are(desk: Desk) -> None:
    pages = {f"page-{number}": {"branding": {"footer": "é" * 1900}} for number in range(15)}
    ids = [f"{desk.project}-{number:02}" for number in range(24)]
    for project_id in ids:
        body = json.dumps({"name": "Large", "status_pages": pages}, ensure_ascii=False)
        assert desk.ask("PUT", f"/projects/{project_id}", body, permissions="*:admin").status == 201

    permissions = " ".join(f"{project_id}:viewer" for project_id in ids)
    assert _shown(desk, "/projects", key="project_id", permissions=permissions) == ids


def test_every_template_is_shown_however_large_they_are(desk: Desk) -> None:
    path = f"/projects/{desk.project}/templates"
    ids = [f"page-{number:02}" for number in range(20)]
    for page_id in ids:
        body = {"subject": "Down", "text": "t" * 29_000, "html": f"<p>{'h' * 29_000}</p>"}
        answer = desk.ask("PUT", f"{path}/status_page.incident_created?status_page_id={page_id}", body)
        assert answer.status == 201, answer.body

    assert _shown(desk, path, key="status_page_id") == ids
