"""A day of failures: when it ends, what belongs to it, and what it comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tocsin.model.chunk import Chunk
from tocsin.model.day_of_failures import DayOfFailures, FailureMark, due_after, has_failures
from tocsin.model.delivery import Change, State, queued
from tocsin.model.delivery_record import DeliveryRecord, LogLine
from tocsin.model.redrive import DeliveryKey
from tocsin.model.reply import Phase, Reply

from tests.unit.model.examples import notification

DUE = datetime(2026, 11, 21, 6, tzinfo=UTC)
MARK = FailureMark(project_id="acme", due_at=DUE, since=DUE - timedelta(hours=30))


def failed(recipient: str = "ana@example.org", *, reply: Reply | None = None, **changes: Any) -> DeliveryRecord:  # noqa: ANN401
    """A delivery that was refused an hour before the day was over."""
    at = changes.pop("updated_at", DUE - timedelta(hours=1))
    line = LogLine(
        at=at,
        state=State.REFUSED,
        attempt=1,
        mail_account_id="first",
        reply=reply or Reply(phase=Phase.RCPT, code=550, enhanced="5.1.1", text=f"no such user {recipient}"),
        remedy_id="row",
        instead_of=None,
        redriven_by=None,
    )
    record = DeliveryRecord(
        key=DeliveryKey(chunk=Chunk(project_id="acme", notification_key="a" * 64), recipient=recipient),
        state=State.REFUSED,
        attempt=1,
        message_id="<1@acme.example>",
        type="incident.created",
        created_at=at,
        updated_at=at,
        retry_at=None,
        revived_at=None,
        mail_account_id="first",
        log=(line,),
    )
    return replace(record, **changes)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-20T06:00:00Z", "2026-11-21T06:00:00Z"),
        ("2026-11-21T05:59:59.999999Z", "2026-11-21T06:00:00Z"),
        ("2026-11-21T06:30:00+01:00", "2026-11-21T06:00:00Z"),
        ("2026-12-31T23:00:00Z", "2027-01-01T06:00:00Z"),
    ],
)
def test_a_day_ends_at_six(now: str, due: str) -> None:
    assert due_after(datetime.fromisoformat(now)) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("changes", "belongs"),
    [
        pytest.param({}, True, id="refused"),
        pytest.param({"state": State.PARKED}, True, id="parked"),
        pytest.param({"state": State.EXPIRED}, True, id="expired"),
        pytest.param({"state": State.UNKNOWN}, True, id="unknown"),
        pytest.param({"state": State.ACCEPTED}, False, id="mended"),
        pytest.param({"state": State.DEFERRED}, False, id="still-tried"),
        pytest.param({"state": State.SUPPRESSED}, False, id="not-wanted"),
        pytest.param({"updated_at": DUE - timedelta(days=1)}, True, id="at-its-beginning"),
        pytest.param({"updated_at": DUE - timedelta(days=1, microseconds=1)}, False, id="the-day-before"),
        pytest.param({"updated_at": DUE}, False, id="the-day-after"),
        pytest.param({"type": "delivery.failed_summary"}, False, id="a-summary"),
        pytest.param({"type": "settings.breaker_opened"}, True, id="another-word-to-admins"),
    ],
)
def test_what_failed_in_the_day_and_still_is_so_belongs_to_it(changes: dict[str, Any], *, belongs: bool) -> None:
    assert MARK.covers(failed(**changes)) is belongs


@pytest.mark.parametrize(
    ("type_", "state", "told"),
    [
        ("incident.created", State.REFUSED, True),
        ("incident.created", State.ACCEPTED, False),
        ("delivery.failed_summary", State.REFUSED, False),
    ],
)
def test_admins_read_of_failures_and_not_of_those_of_a_summary(type_: str, state: State, *, told: bool) -> None:
    before = replace(queued("ana@example.org", "<1@acme.example>"), state=State.SUBMITTING)
    changes = [Change(before=before, state=state, attempt=1)]
    data = {"project": {"id": "acme"}, "recipients": [{"email": "a@example.org"}], "failures": {"count": 1}}
    data |= {"incident": {"id": "1", "title": "Down"}}

    assert has_failures(notification(type_, data=data), changes) is told


def test_answers_that_differ_by_recipient_are_one_group_and_the_largest_comes_first() -> None:
    day = DayOfFailures(mark=MARK)
    own = Reply(phase=Phase.SETTINGS, code=None, text="no_route")

    day.add(failed(state=State.PARKED, reply=own), mail_account=None, remedy="Name a route.")
    for number in range(30):
        day.add(failed(f"r{number}@example.org"), mail_account="Ops", remedy="Take it off.")
    document = day.document()

    assert (document["count"], document["is_more"]) == (31, False)
    assert (document["since"], document["until"]) == ("2026-11-20T06:00:00+00:00", "2026-11-21T06:00:00+00:00")
    assert [(one["state"], one["reason"], one["count"], one["remedy"]) for one in document["groups"]] == [
        ("refused", "550 5.1.1", 30, "Take it off."),
        ("parked", "no_route", 1, "Name a route."),
    ]
    assert len(document["examples"]) == 20
    assert document["examples"][0]["reason"] == "no_route"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ((), None),
        (failed(reply=Reply(phase=Phase.CONNECT, code=421, text="busy")).log, "421"),
        (failed(reply=Reply(phase=Phase.CONNECT, code=None, text="x" * 500)).log, "x" * 200),
    ],
)
def test_a_reason_is_short_and_may_be_unknown(log: tuple[LogLine, ...], reason: str | None) -> None:
    day = DayOfFailures(mark=MARK)

    day.add(failed(log=log), mail_account=None, remedy=None)

    assert day.document()["groups"][0]["reason"] == reason
