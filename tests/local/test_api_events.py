"""The engine's HTTP API speaks with functions as API Gateway does."""

from __future__ import annotations

import pytest

from local.api_events import as_api_gateway_reads, as_api_gateway_sends


@pytest.mark.parametrize(
    ("cookie", "cookies"),
    [("a=1", ["a=1"]), ("a=1; b=2=3;c=", ["a=1", "b=2=3", "c="]), (";; ", [])],
    ids=["one", "some", "none"],
)
def test_functions_get_cookies_as_api_gateway_sends_them(cookie: str, cookies: list[str]) -> None:
    event = {"version": "2.0", "headers": {"cookie": cookie, "host": "h"}, "requestContext": {"http": {}}}

    assert as_api_gateway_sends(event) == event | {"headers": {"host": "h"}, "cookies": cookies}


@pytest.mark.parametrize(
    "event",
    [
        {"Records": []},
        {"version": "0", "detail": {}},
        {"version": "2.0", "headers": {}, "requestContext": {"http": {}}},
        [1],
        None,
    ],
    ids=["SQS", "a schedule", "no cookies", "a list", "nothing"],
)
def test_other_events_stay_as_they_are(event: object) -> None:
    assert as_api_gateway_sends(event) == event


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ({"statusCode": 302, "body": None}, {"statusCode": 302, "body": ""}),
        ({"statusCode": 200, "body": "a"}, {"statusCode": 200, "body": "a"}),
        ({"statusCode": 204}, {"statusCode": 204}),
        (None, None),
    ],
    ids=["null", "text", "none", "no answer"],
)
def test_a_body_of_null_is_an_empty_one(answer: object, read: object) -> None:
    assert as_api_gateway_reads(answer) == read
