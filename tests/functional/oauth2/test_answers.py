"""An answer of a token endpoint that is no refusal, and none at all: the grant is as good as before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tocsin.model.reply import Phase
from tocsin.model.token_error import TokenEndpointFailed

from tests.functional.oauth2.line import line_to
from tests.identity_provider import Close, Drip, Flood, Hang, Say

if TYPE_CHECKING:
    from tests.identity_provider.actions import Action


_HTML = "<!doctype html><title>Sign in to the network</title>"
_WAYS = pytest.mark.parametrize("name", ["microsoft365", "generic"])
"""By a library that would read the answer itself, and without."""


@pytest.mark.parametrize("name", ["microsoft365", "google", "generic"])
@pytest.mark.parametrize(
    ("action", "code", "wait"),
    [
        pytest.param(Say(200, _HTML), None, None, id="captive portal"),
        pytest.param(Say(200, ""), None, None, id="empty 200"),
        pytest.param(Say(204, ""), None, None, id="204"),
        pytest.param(Say(200, "{}"), None, None, id="empty object"),
        pytest.param(Say(200, '["access_token"]'), None, None, id="list"),
        pytest.param(Say(200, "[" * 100_000), None, None, id="deep nesting"),
        pytest.param(Say(200, b"\xff\xfe{"), None, None, id="no text"),
        pytest.param(Say(200, {"access_token": "", "token_type": "Bearer"}), None, None, id="empty token"),
        pytest.param(Say(200, {"access_token": 7, "token_type": "Bearer"}), None, None, id="number for a token"),
        pytest.param(Say(200, {"access_token": "a\nb"}), None, None, id="token with a line end"),
        pytest.param(Say(200, {"access_token": "a", "token_type": "mac"}), None, None, id="other token type"),
        pytest.param(Say(302, "", {"Location": "/elsewhere"}), None, None, id="redirect"),
        pytest.param(Say(307, "", {"Location": "/elsewhere"}), None, None, id="redirect of a POST"),
        pytest.param(Say(403, _HTML), None, None, id="firewall page"),
        pytest.param(Say(404, {"message": "no route"}), None, None, id="404 of a gateway"),
        pytest.param(Say(400, {"error": None}), None, None, id="error without a name"),
        pytest.param(Say(429, _HTML, {"Retry-After": "7"}), 429, 7, id="429 as HTML"),
        pytest.param(Say(429, {"error": "invalid_grant"}), 429, None, id="429 as JSON"),
        pytest.param(Say(500, {"error": "invalid_grant"}), 500, None, id="500 as JSON"),
        pytest.param(Say(502, _HTML), 502, None, id="502"),
        pytest.param(Say(503, "", {"Retry-After": "99999999"}), 503, 86_400, id="503 for years"),
        pytest.param(Say(503, "", {"Retry-After": "-5"}), 503, None, id="503 for less than nothing"),
        pytest.param(Say(503, "", {"Retry-After": "soon"}), 503, None, id="503 for a word"),
        pytest.param(
            Say(504, _HTML, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}), 504, 86_400, id="504 to a date"
        ),
        pytest.param(Say(599, ""), 599, None, id="599"),
        pytest.param(Say(400, {"error": "temporarily_unavailable"}, {"Retry-After": "9"}), 400, 9, id="unavailable"),
        pytest.param(Say(400, {"error": "server_error", "error_description": "access_denied"}), 400, None, id="server"),
        pytest.param(Close(), None, None, id="connection cut"),
        pytest.param(Close(after=True), None, None, id="answer lost"),
        pytest.param(Say(200, {"access_token": "t" * 99}, cut=10), None, None, id="answer cut short"),
        pytest.param(Flood(), None, None, id="10 MB"),
    ],
)
def test_an_answer_that_is_no_refusal_leaves_the_grant_as_it_was(
    name: str, action: Action, code: int | None, wait: int | None
) -> None:
    with line_to(name, action) as line, pytest.raises(TokenEndpointFailed) as failed:
        line.renew()

    assert (failed.value.reply.phase, failed.value.reply.code) == (Phase.AUTH, code)
    assert failed.value.verdict.failure_class == "auth-transient"
    assert failed.value.verdict.wait_seconds == wait
    assert len(line.provider.requests("unknown")) == 0  # no redirect was followed


@_WAYS
@pytest.mark.parametrize(
    "action",
    [Hang(), Drip(part="body"), Drip(part="head")],
    ids=["silence", "dripping body", "dripping head"],
)
def test_an_answer_that_never_ends_is_given_up_in_time(name: str, action: Action) -> None:
    begun = time.monotonic()
    with line_to(name, action) as line, pytest.raises(TokenEndpointFailed) as failed:
        line.renew(deadline=begun + 0.3)

    assert time.monotonic() - begun < 3
    assert failed.value.reply.text.startswith("timed out (token endpoint ")


def test_a_deadline_that_has_passed_asks_nothing() -> None:
    with line_to("generic") as line, pytest.raises(TokenEndpointFailed):
        line.renew(deadline=time.monotonic())

    assert line.provider.requests() == []
