"""What a queue's message body is read as, where the functional suite does not show it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tocsin.errors import InvalidNotification
from tocsin.model.event import check_event, check_text, project_id_of, read_event, with_recipients
from tocsin.model.notification import Recipient

from tests.unit.model.examples import event


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_only_python_knows_is_not_json(constant: str) -> None:
    body = json.dumps(event()).replace('"1042"', constant)

    with pytest.raises(InvalidNotification) as caught:
        read_event(body)

    assert caught.value.reason == "not_json"


@pytest.mark.parametrize("number", ["1e999", "-1"])
def test_a_length_of_time_is_finite_and_not_below_zero(number: str) -> None:
    body = json.dumps(event("incident.state_changed"))
    body = body.replace('"state": "resolved"', f'"state": "resolved", "previous_state_seconds": {number}')

    with pytest.raises(InvalidNotification) as caught:
        check_event(read_event(body))

    assert caught.value.detail.startswith("data.change.previous_state_seconds: ")


@pytest.mark.parametrize("extra", [{"x" * 5_000: "\ud800"}, json.loads('{"a":' * 5_000 + '"\\ud800"' + "}" * 5_000)])
def test_however_far_away_half_a_surrogate_pair_stands_its_place_is_named_as_far_as_there_is_room(
    extra: dict[str, Any],
) -> None:
    with pytest.raises(InvalidNotification) as caught:
        check_text(event() | {"extra": extra})

    assert caught.value.reason == "not_unicode"
    assert caught.value.detail.startswith("extra.")
    assert len(caught.value.detail) <= 256


def test_an_event_of_the_time_before_that_is_stored_is_still_delivered() -> None:
    assert check_event(event(subject="half \ud800")).subject == "half \ud800"


def test_an_envelope_within_an_envelope_within_an_envelope_is_not_opened_without_end() -> None:
    body: dict[str, Any] = event()
    for _ in range(4):
        body = {"detail-type": "x", "detail": body}

    with pytest.raises(InvalidNotification) as caught:
        check_event(read_event(json.dumps(body)))

    assert caught.value.reason == "wrong_specversion"


def test_octets_are_counted_not_characters() -> None:
    with pytest.raises(InvalidNotification) as caught:
        read_event(json.dumps(event(subject="é" * 500_000), ensure_ascii=False))

    assert caught.value.reason == "too_large"


def test_a_chunks_event_names_its_recipients_itself_and_leaves_the_original_as_it_was() -> None:
    original = event()
    original["data"] |= {"recipients": None, "recipients_ref": {"bucket": "b"}, "extra": 1}

    whole = with_recipients(original, [Recipient(email="ana@example.org", locale="en")])

    assert whole["data"]["recipients"] == [{"email": "ana@example.org", "locale": "en"}]
    assert "recipients_ref" not in whole["data"]
    assert whole["data"]["extra"] == 1
    assert original["data"]["recipients_ref"] == {"bucket": "b"}


@pytest.mark.parametrize(
    ("rejected", "project_id"),
    [
        (event(), "acme"),
        (None, None),
        ({}, None),
        ({"data": None}, None),
        ({"data": {"project": "acme"}}, None),
        ({"data": {"project": {"id": 1}}}, None),
        ({"data": {"project": {"id": "Acme!"}}}, None),
        ({"data": {"project": {"id": "acme\n"}}}, None),
        ({"data": {"project": {"id": "_system"}}}, None),
    ],
)
def test_a_rejected_event_is_filed_under_a_project_that_could_exist(
    rejected: dict[str, Any] | None, project_id: str | None
) -> None:
    assert project_id_of(rejected) == project_id
