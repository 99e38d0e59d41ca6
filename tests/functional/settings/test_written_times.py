"""Days and times in requests are written by the calendar: a count of seconds is refused, as the document says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.settings.conftest import oauth2_account

if TYPE_CHECKING:
    from tests.functional.settings.conftest import Desk

COUNTS = ["0", "0.5", "-1", "1700000000", "1700000000000"]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", ["from", "to"])
def test_a_time_in_a_query_is_no_count_of_seconds(desk: Desk, name: str, count: str) -> None:
    answer = desk.ask("GET", f"/projects/{desk.project}/deliveries?{name}={count}")

    assert (answer.status, [one["field"] for one in answer.json["errors"]]) == (422, [name])


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", ["from", "to"])
def test_a_time_in_a_body_is_no_count_of_seconds(desk: Desk, name: str, count: str) -> None:
    answer = desk.ask("POST", f"/projects/{desk.project}/deliveries/redrive", {"states": ["parked"], name: count})

    assert (answer.status, [one["field"] for one in answer.json["errors"]]) == (422, [name])


@pytest.mark.parametrize("written", [*COUNTS, "2027-05-01T00:00:00Z", "2027-13-01", 5, True])
def test_a_day_is_a_day_of_the_calendar(desk: Desk, written: object) -> None:
    answer = desk.ask("POST", "", oauth2_account("authorization_code", client_secret_expires_on=written))

    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == ["auth.oauth2.client_secret_expires_on"]


def test_a_day_of_the_calendar_is_kept(desk: Desk) -> None:
    answer = desk.ask("POST", "", oauth2_account("authorization_code", client_secret_expires_on="2027-05-01"))

    assert (answer.status, answer.json["auth"]["oauth2"]["client_secret_expires_on"]) == (201, "2027-05-01")
