"""Whether a project counts is asked for once in ten seconds; whatever cannot be read counts nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tocsin.adapters.tracking_settings import TrackingSettings
from tocsin.errors import TransientError
from tocsin.model.tracking import Tracking

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ON = json.dumps({"name": "Acme", "tracking": {"opens": True}})


class FakeTable:
    """One project's document, or what DynamoDB says instead."""

    def __init__(self, document: str | None = None) -> None:
        self.document = document
        self.trouble: Exception | None = None
        self.asked = 0

    def get_item(self, *, Key: dict[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803  (the service's)
        assert Key == {"project_id": {"S": "acme"}, "sk": {"S": "project"}}
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return {} if self.document is None else {"Item": {"document": {"S": self.document}}}


class Clock:
    """Seconds that pass when they are told to."""

    seconds = 5.0

    def __call__(self) -> float:
        return self.seconds


def _settings(table: FakeTable, clock: Clock | None = None) -> TrackingSettings:
    return TrackingSettings(cast("DynamoDBClient", table), "SettingsTable", monotonic=clock or Clock())


def test_a_change_holds_after_ten_seconds_and_costs_one_read_in_them() -> None:
    table, clock = FakeTable(ON), Clock()
    settings = _settings(table, clock)

    first = [settings("acme") for _ in range(5)]
    table.document = json.dumps({"name": "Acme"})
    clock.seconds += 9.9
    still = settings("acme")
    clock.seconds += 0.1

    assert [*first, still] == [Tracking(opens=True)] * 6
    assert settings("acme") == Tracking()
    assert table.asked == 2


@pytest.mark.parametrize(
    "document", [None, "", "[]", "null", '"text"', "{}", '{"tracking": null}', '{"tracking": {"opens": "perhaps"}}']
)
def test_what_cannot_be_read_counts_nothing(document: str | None) -> None:
    assert _settings(FakeTable(document))("acme") == Tracking()


@pytest.mark.parametrize(
    "trouble",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "said"}}, "GetItem"),
        ReadTimeoutError(endpoint_url="https://dynamodb.example"),
    ],
    ids=["refused", "too-slow"],
)
def test_a_table_in_trouble_is_not_taken_for_a_project_that_counts_nothing(trouble: Exception) -> None:
    table = FakeTable(ON)
    settings, table.trouble = _settings(table), trouble

    with pytest.raises(TransientError, match=type(trouble).__name__):
        settings("acme")
    table.trouble = None
    assert settings("acme") == Tracking(opens=True)
