"""What goes on the bus: few, bounded events, and no failure that anybody must care for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tocsin.adapters.event_bus import EventBus
from tocsin.errors import InvalidNotification
from tocsin.model.chunk import chunk_of
from tocsin.model.delivery import Change, Entry, State
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply

from tests.unit.model.examples import NOW, notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_events import EventBridgeClient

type Json = dict[str, Any]


class FakeClient:
    """A bus that keeps what it is given, or fails so."""

    def __init__(self, failure: Exception | None = None, *, refused: int = 0) -> None:
        self._failure = failure
        self._refused = refused
        self.calls: list[list[Json]] = []

    def put_events(self, *, Entries: list[Json]) -> Json:  # noqa: N803  (the service's name)
        """Keep them, or fail."""
        self.calls.append(Entries)
        if self._failure is not None:
            raise self._failure
        return {"FailedEntryCount": self._refused}

    @property
    def entries(self) -> list[Json]:
        """All events, whatever the call."""
        return [entry for call in self.calls for entry in call]

    @property
    def details(self) -> list[Json]:
        """What they say."""
        return [json.loads(entry["Detail"]) for entry in self.entries]


def _bus(client: FakeClient) -> tuple[EventBus, list[tuple[str, int]]]:
    failures: list[tuple[str, int]] = []
    bus = EventBus(
        cast("EventBridgeClient", client), "bus", on_failure=lambda error, count: failures.append((error, count))
    )
    return bus, failures


def _change(number: int = 0, *, text: str = "250 ok", state: State = State.ACCEPTED, account: str = "a") -> Change:
    before = Entry(recipient=f"p{number}@example.org", state=State.SUBMITTING, attempt=1, message_id="<1@a.example>")
    return Change(
        before=before,
        state=state,
        attempt=1,
        mail_account_id=account,
        reply=Reply(phase=Phase.DATA, code=250, text=text),
    )


def _publish(changes: Sequence[Change], *, subject: str | None = "incident/1042") -> FakeClient:
    client = FakeClient()
    bus, failures = _bus(client)
    incident = notification(subject=subject)
    bus.deliveries_changed(chunk_of(incident), incident, changes)
    assert failures == []
    return client


def test_an_event_says_what_became_of_a_delivery() -> None:
    before = Entry(recipient="ana@example.org", state=State.SUBMITTING, attempt=1, message_id="<1@acme.example>")
    change = Change(
        before=before,
        state=State.DEFERRED,
        attempt=1,
        mail_account_id="first",
        reply=Reply(phase=Phase.RCPT, code=450, enhanced="4.2.1", text="4.2.1 later"),
        verdict=Verdict(failure_class=FailureClass.RECIPIENT_TRANSIENT, remedy_id="later", remedy="Wait."),
        retry_at=NOW,
    )

    client = _publish([change])

    incident = notification(subject="incident/1042")
    [entry] = client.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("bus", "tocsin", "delivery.deferred")
    assert client.details == [
        {
            "schema_version": 1,
            "project_id": "acme",
            "notification": {
                "source": "/monitoring/eu-1",
                "id": "01JD7Z",
                "type": "incident.created",
                "subject": "incident/1042",
            },
            "mail_account_id": "first",
            "deliveries": [
                {
                    "delivery_id": chunk_of(incident).delivery_id("ana@example.org"),
                    "recipient": "ana@example.org",
                    "state": "deferred",
                    "attempt": 1,
                    "retry_at": "2026-11-21T09:30:00+00:00",
                    "reply": {"phase": "rcpt", "code": 450, "enhanced": "4.2.1", "text": "4.2.1 later"},
                    "remedy": "Wait.",
                }
            ],
        }
    ]


def test_one_event_tells_of_one_state_and_one_account() -> None:
    changes = [
        _change(1),
        _change(2, state=State.REFUSED),
        _change(3, account="b"),
        _change(4),
        _change(5, state=State.SUBMITTING),
    ]

    client = _publish(changes)

    told = [
        (entry["DetailType"], detail["mail_account_id"], [one["recipient"] for one in detail["deliveries"]])
        for entry, detail in zip(client.entries, client.details, strict=True)
    ]
    assert told == [
        ("delivery.accepted", "a", ["p1@example.org", "p4@example.org"]),
        ("delivery.accepted", "b", ["p3@example.org"]),
        ("delivery.refused", "a", ["p2@example.org"]),
    ]


@pytest.mark.parametrize("changes", [[], [_change(state=State.SUBMITTING)]], ids=["no-change", "on-its-way"])
def test_nothing_to_tell_makes_no_call(changes: list[Change]) -> None:
    assert _publish(changes).calls == []


@pytest.mark.parametrize(("deliveries", "sizes"), [(50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
def test_an_event_holds_at_most_50_deliveries(deliveries: int, sizes: list[int]) -> None:
    client = _publish([_change(number) for number in range(deliveries)])

    assert [len(detail["deliveries"]) for detail in client.details] == sizes


@pytest.mark.parametrize("text", ["x" * 5000, "é" * 5000, "\U0001f514" * 5000], ids=["ascii", "two-octets", "astral"])
@pytest.mark.parametrize("subject", ["incident/1042", "\U0001f514" * 5000], ids=["short-subject", "long-subject"])
def test_an_event_and_a_call_hold_at_most_200_kb_whatever_relays_and_publishers_write(text: str, subject: str) -> None:
    client = _publish([_change(number, text=text) for number in range(50)], subject=subject)

    assert sum(len(detail["deliveries"]) for detail in client.details) == 50
    assert all(len(entry["Detail"].encode()) <= 200_000 for entry in client.entries)
    assert all(sum(len(entry["Detail"].encode()) for entry in call) <= 200_000 for call in client.calls)


def test_a_call_holds_at_most_ten_events() -> None:
    client = _publish([_change(number, account=f"account-{number:02}") for number in range(23)])

    assert [len(call) for call in client.calls] == [10, 10, 3]


@pytest.mark.parametrize(
    ("client", "told"),
    [
        pytest.param(FakeClient(refused=1), [("FailedEntry", 1)], id="entry-refused"),
        pytest.param(
            FakeClient(ClientError({"Error": {"Code": "InternalException"}}, "PutEvents")),
            [("ClientError", 1)],
            id="service-error",
        ),
        pytest.param(
            FakeClient(EndpointConnectionError(endpoint_url="https://events.example")),
            [("EndpointConnectionError", 1)],
            id="out-of-reach",
        ),
    ],
)
def test_a_failing_bus_is_counted_and_changes_nothing(client: FakeClient, told: list[tuple[str, int]]) -> None:
    bus, failures = _bus(client)

    bus.deliveries_changed(chunk_of(notification()), notification(), [_change()])
    assert failures == told

    bus.notification_rejected(InvalidNotification("not_json", "the body is not JSON"), None)
    assert failures == told * 2


@pytest.mark.parametrize(
    ("event", "identity"),
    [
        (None, [None, None, None, None]),
        ({"id": "1", "source": "/s", "type": "t", "subject": "x"}, ["/s", "1", "t", "x"]),
        ({"id": 1, "source": ["/s"], "type": {}, "subject": None}, [None, None, None, None]),
        ({"id": "x" * 10_000}, [None, "x" * 512, None, None]),
    ],
)
def test_a_rejection_names_the_event_as_far_as_it_could_be_read(event: Json | None, identity: list[str | None]) -> None:
    client = FakeClient()
    bus, _ = _bus(client)

    bus.notification_rejected(InvalidNotification("unknown_type", "the type is not in the catalogue"), event)

    [detail] = client.details
    assert client.entries[0]["DetailType"] == "notification.rejected"
    assert (detail["reason"], detail["detail"]) == ("unknown_type", "the type is not in the catalogue")
    assert [detail["notification"][name] for name in ("source", "id", "type", "subject")] == identity
