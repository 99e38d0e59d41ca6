"""Tokens that the authorizer lets through, and that are no access tokens: nothing behind the door sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.settings.bearer import is_let_in

if TYPE_CHECKING:
    from tests.functional.settings.conftest import Desk


@pytest.mark.parametrize(
    ("claims", "answer"),
    [
        pytest.param({"exp": "1800000000"}, True, id="of-an-issuer-that-marks-nothing"),
        pytest.param({"exp": "1800000000", "token_use": "access"}, True, id="of-cognito"),
        pytest.param({"exp": "1800000000", "token_use": "id"}, False, id="says-who-somebody-is"),
        pytest.param({"exp": "1800000000", "token_use": ""}, False, id="marked-as-nothing"),
        pytest.param({"sub": "admin-1"}, False, id="without-an-end"),
        pytest.param({}, True, id="of-a-route-that-needs-none"),
        pytest.param(None, True, id="of-a-route-that-needs-none-and-says-so"),
    ],
)
def test_a_token_that_is_no_access_token_or_never_ends_is_refused(claims: dict[str, str] | None, answer: bool) -> None:  # noqa: FBT001  (a table's column)
    assert is_let_in({"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}) is answer


def test_the_answer_is_the_gateway_s_own(desk: Desk) -> None:
    answer = desk.ask("GET", "", claims={"token_use": "id"})

    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    assert answer.headers["content-type"] == "application/json"
