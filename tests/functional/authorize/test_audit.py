"""It is remembered who consented: with the grant that came of it, and not without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.settings.app import lambda_handler as settings
from tests.functional.http_api import call

if TYPE_CHECKING:
    from tests.functional.authorize.conftest import Begin
    from tests.functional.authorize.redirect import Redirect
    from tests.functional.http_api import Json

pytestmark = pytest.mark.usefixtures("whole_stack")


def _consents(redirect: Redirect) -> list[Json]:
    claims = {"sub": "viewer-1", "tocsin_projects": f"{redirect.project_id}:viewer"}
    answer = call(settings, "GET", f"/projects/{redirect.project_id}/audit", claims=claims)
    assert answer.status == 200, answer.body
    return [entry for entry in answer.json["items"] if entry["action"] == "mail_account.consented"]


def test_a_consent_is_remembered_once_with_its_admin(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()

    redirect.browser.open(url)
    redirect.browser.open(url)

    [entry] = _consents(redirect)
    assert (entry["admin"], entry["subject"], entry["fields"]) == ("admin-1", redirect.account_id, ["grant"])


def test_a_consent_of_which_nothing_was_stored_is_not(begin: Begin) -> None:
    redirect = begin(user="eve@acme.example")

    assert redirect.complete().status == 403

    assert _consents(redirect) == []
