"""What the tests of the sweep share: the stack of DeliverFunction's tests, and time that passes for marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.functional.conftest import Context
from tests.functional.deliver.conftest import acme, deliver, stack
from tests.functional.deliver.stack import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.functional.deliver.stack import Acme, Stack

__all__ = ["acme", "deliver", "stack"]  # fixtures

type Sweep = Callable[[], dict[str, int]]

FIRST = timedelta(seconds=10)
LAST = timedelta(minutes=16)


@pytest.fixture
def sweep(stack: Stack) -> Sweep:
    """Invoke the function as its schedule of every minute does; the counts that are not zero."""
    del stack
    from tocsin import wiring  # noqa: PLC0415  (as above)

    from functions.refresh.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

    def invoke() -> dict[str, int]:
        wiring.settings_store.cache_clear()  # a mark is swept when deliver's 10 s are over
        wiring.receive.cache_clear()
        return {name: count for name, count in lambda_handler({"task": "sweep"}, Context()).items() if count}

    return invoke


@dataclass(slots=True)
class Sent:
    """What was put on the BulkQueue since the last look: whose chunk, and how many seconds it waits."""

    entries: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, acme: Acme) -> list[int]:
        """The seconds that each message for the project's only chunk waits; other projects' are forgotten."""
        seen, self.entries = self.entries, []
        return [seconds for body, seconds in seen if body == acme.pointer()]

    def note(self, params: dict[str, Any], **_: object) -> None:
        """Note one call."""
        self.entries += [(entry["MessageBody"], entry["DelaySeconds"]) for entry in params["Entries"]]


@pytest.fixture
def sent(stack: Stack) -> Iterator[Sent]:
    """What the functions send: messages that wait would be seen by other tests only."""
    del stack
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    sent, events = Sent(), wiring.client("sqs").meta.events
    events.register("provide-client-params.sqs.SendMessageBatch", sent.note)
    yield sent
    events.unregister("provide-client-params.sqs.SendMessageBatch", sent.note)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of SettingsTable, and what the passing of time makes of them."""

    def names(self, project_id: str) -> list[str]:
        """The project's marks that are still to be looked at."""
        return [item["sk"] for item in self._items() if item["project_id"] == project_id and "refresh_at" in item]

    def let_pass(self, age: timedelta) -> None:
        """Let every mark be so old, and its pass begin now."""
        now = datetime.now(UTC)
        for item in self._items():
            self._set(item, since=_text(now - age), refresh_at=_text(now))

    def forget(self) -> None:
        """Leave no mark of earlier tests."""
        for item in self._items():
            boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=_key(item))

    def _items(self) -> list[dict[str, Any]]:
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="SettingsTable")
        found = [{name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        return [item for item in found if item["sk"].startswith("redrive#")]

    def _set(self, item: dict[str, Any], **times: str) -> None:
        boto3.client("dynamodb").update_item(
            TableName="SettingsTable",
            Key=_key(item),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in times),
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in times.items()},
        )


@pytest.fixture
def marks(stack: Stack) -> Marks:
    """The marks, none of them set."""
    del stack
    marks = Marks()
    marks.forget()
    return marks


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {"project_id": {"S": item["project_id"]}, "sk": {"S": item["sk"]}}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
