"""What failed in a day is told to the project's admins when the day is over: once, and only where they want to know."""

from __future__ import annotations

import email.policy
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin.model.day_of_failures import FailureMark

from tests.functional.conftest import Context
from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_ADMINS = [{"email": "carla@example.org", "name": "Carla"}]
_GONE, _HERE = "gone@example.org", "here@example.org"
_REFUSAL = {f"rcpt {_GONE}": Say("550 5.1.1 no such user")}


def _summarise() -> dict[str, int]:
    """Invoke the function as its schedule of every hour does."""
    from functions.refresh.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

    counts: dict[str, int] = lambda_handler({"task": "summarise"}, Context())
    return counts


def _end_the_day(acme: Acme) -> None:
    """Let the day of the project's failures be over now."""
    from tocsin.adapters.failure_marks import FailureMarks  # noqa: PLC0415  (after the stack is there)

    now = datetime.now(UTC)
    mark = FailureMark(project_id=acme.id, due_at=now, since=now - timedelta(hours=1))
    FailureMarks(boto3.client("dynamodb"), "SettingsTable").mark(mark)


def _marks(acme: Acme) -> list[dict[str, Any]]:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="SettingsTable")
    items = [item for page in pages for item in page["Items"]]
    return [item for item in items if item["project_id"]["S"] == acme.id and item["sk"]["S"].startswith("failures#")]


def test_a_refused_mail_is_told_of_once_with_reason_and_remedy(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    acme.project = {"admins": _ADMINS}
    with Relay(**LOGIN, script=_REFUSAL) as relay:
        acme.save(relay)
        assert deliver(acme.event(_GONE, _HERE)) == []
        assert acme.states() == {_GONE: "refused", _HERE: "accepted"}
        [mark] = _marks(acme)
        assert mark["refresh_at"]["S"] > datetime.now(UTC).isoformat()
        _end_the_day(acme)

        assert _summarise()["sent"] == 1
        assert _summarise() == {}
        _end_the_day(acme)
        assert _summarise()["sent"] == 1

        told = [message["body"] for message in stack.messages("NotificationQueue")]
        assert [deliver(body) for body in told] == [[], []]

    [mail] = [mail for mail in relay.mails if mail.rcpt_to == ("carla@example.org",)]
    message = message_from_bytes(mail.content, policy=email.policy.default)
    text = message.get_body(("plain",))
    assert message["Subject"] == "[Deliveries] 1 mail failed"
    assert text is not None
    for shown in (_GONE, "550 5.1.1", "no such user", "Refused", "as admin of Acme"):
        assert shown in text.get_content()


@pytest.mark.parametrize(
    "project",
    [
        pytest.param({}, id="no-admins"),
        pytest.param({"admins": _ADMINS, "failed_summary": False}, id="switched-off"),
    ],
)
def test_where_nobody_wants_to_know_nothing_is_written(project: dict[str, Any], acme: Acme, deliver: Invoke) -> None:
    acme.project = project
    with Relay(**LOGIN, script=_REFUSAL) as relay:
        acme.save(relay)

        assert deliver(acme.event(_GONE)) == []

    assert acme.states() == {_GONE: "refused"}
    assert _marks(acme) == []


def test_what_all_arrived_costs_nothing(acme: Acme, deliver: Invoke) -> None:
    acme.project = {"admins": _ADMINS}
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(acme.event(_HERE)) == []

    assert _marks(acme) == []
