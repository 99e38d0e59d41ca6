"""When the first account cannot send, the next one does where the project allows it, and the delivery says why."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring
from tocsin.adapters.shared_items import SharedItems
from tocsin.adapters.transactions import Transactions
from tocsin.model import slot

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke

FIRST, SECOND = "01JD7Z0000000000000000ACME", "01JD7Z000000000000000SECOND"
REFUSED = "535 5.7.8 bad credentials"
ANA = "ana@example.org"


def _save(acme: Acme, first: Relay, second: Relay, policy: str = "project", **changes: Any) -> None:  # noqa: ANN401  (JSON)
    """Two accounts on every route, the second with a sender of its own; `changes` are the first one's."""
    acme.account_id, acme.changes = SECOND, {"senders": [{"email": "second@acme.example"}]}
    acme.save(second)
    routes = {name: [FIRST, SECOND] for name in ("incident", "status_page", "alert")}
    acme.project = {"routes": routes, "fallback_policy": policy}
    acme.account_id, acme.changes = FIRST, changes
    acme.save(first)


def _log(acme: Acme, recipient: str = ANA) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = acme.deliveries()[recipient]["log"]
    return lines


def _page(acme: Acme, *people: str) -> dict[str, Any]:
    event = acme.event(*people, type="status_page.incident_created")
    event["data"]["status_page"] = {"id": "public", "name": "Acme"}
    return event


# --- The first cannot send until an admin acts ---


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param({"auth": Say(REFUSED)}, "5.7.8 bad credentials", id="refused-credential"),
        pytest.param({"mail": Say("553 5.7.1 not your address")}, "5.7.1 not your address", id="refused-sender"),
    ],
)
def test_the_very_notification_that_finds_the_trouble_goes_by_the_next_account(
    acme: Acme, deliver: Invoke, script: dict[str, Say], reason: str
) -> None:
    people = [f"p{index}@example.org" for index in range(3)]
    with Relay(**LOGIN, script=script) as first, Relay(**LOGIN) as second:
        _save(acme, first, second)

        assert deliver(acme.event(*people)) == []

    assert first.mails == []
    assert [(mail.mail_from, *mail.rcpt_to) for mail in second.mails] == [
        ("second@acme.example", person) for person in people
    ]
    for person in people:
        delivery = acme.deliveries()[person]
        assert (delivery["state"], delivery["attempt"], delivery["mail_account_id"]) == ("accepted", 1, SECOND)
        tried, accepted = _log(acme, person)
        assert (tried["state"], tried["mail_account_id"], tried["remedy_id"] != "") == ("deferred", FIRST, True)
        assert (accepted["state"], accepted["instead_of"]["mail_account_id"]) == ("accepted", FIRST)
        assert reason.partition(" ")[2] in accepted["instead_of"]["reason"]
        assert delivery["message_id"].endswith("@acme.example>")


def test_nobody_is_told_that_it_waits_when_it_went_by_the_next_account(stack: Any, acme: Acme, deliver: Invoke) -> None:  # noqa: ANN401  (the fixture)
    with Relay(**LOGIN, script={"auth": Say(REFUSED)}) as first, Relay(**LOGIN) as second:
        _save(acme, first, second)

        deliver(acme.event(ANA))

    assert [event["detail-type"] for event in stack.events()] == ["delivery.accepted"]
    assert stack.delayed("BulkQueue", acme.id) == 0
    assert stack.pointers(acme.id) == []


def test_where_no_account_can_send_it_is_parked_and_says_what_keeps_the_first(acme: Acme, deliver: Invoke) -> None:
    with (
        Relay(**LOGIN, script={"auth": Say(REFUSED)}) as first,
        Relay(**LOGIN, script={"auth": Say(REFUSED)}) as second,
    ):
        _save(acme, first, second)

        assert deliver(acme.event(ANA)) == []

    delivery = acme.deliveries()[ANA]
    assert (delivery["state"], delivery["attempt"], delivery["mail_account_id"]) == ("parked", 0, SECOND)
    assert [line["mail_account_id"] for line in delivery["log"]] == [FIRST, SECOND]
    assert delivery["log"][-1]["instead_of"]["mail_account_id"] == FIRST


def test_what_the_first_account_took_before_it_failed_is_not_sent_again(acme: Acme, deliver: Invoke) -> None:
    people = [f"p{index}@example.org" for index in range(4)]
    script = {"mail": [None, Say("553 5.7.1 not your address")]}
    with Relay(**LOGIN, script=script) as first, Relay(**LOGIN) as second:
        _save(acme, first, second)

        assert deliver(acme.event(*people)) == []

    assert [mail.rcpt_to[0] for mail in first.mails] == people[:1]
    assert [mail.rcpt_to[0] for mail in second.mails] == people[1:]
    assert set(acme.states().values()) == {"accepted"}


@pytest.mark.parametrize(
    ("policy", "named", "state"),
    [
        pytest.param("none", None, "parked", id="policy-none"),
        pytest.param("project", FIRST, "parked", id="named-by-the-publisher"),
        pytest.param("project", None, "accepted", id="policy-project"),
    ],
)
def test_without_leave_it_waits_for_the_admin(
    acme: Acme, deliver: Invoke, policy: str, named: str | None, state: str
) -> None:
    with Relay(**LOGIN, script={"auth": Say(REFUSED)}) as first, Relay(**LOGIN) as second:
        _save(acme, first, second, policy)
        event = acme.event(ANA)
        event["data"]["options"] = {"mail_account_id": named}

        assert deliver(event) == []

    assert acme.states() == {ANA: state}
    assert len(second.mails) == (1 if state == "accepted" else 0)


def test_an_account_that_was_refused_is_asked_once_more_after_a_pause_and_then_never(acme: Acme) -> None:
    logins = []
    script = {"auth": Say(REFUSED)}
    with Relay(**LOGIN, script=script) as first, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        _save(acme, first, second)
        for number in range(5):
            fleet.publish(acme.event(f"p{number}@example.org"))
            fleet.work_once()
            logins.append(sum(command.startswith("AUTH") for command in first.commands))
            fleet.clock.pass_seconds(16)

        assert logins == [1, 1, 2, 2, 2]
        assert len(second.mails) == 5
        assert [len(_log(acme, f"p{number}@example.org")) for number in range(5)] == [2, 1, 2, 1, 1]


# --- The first is in trouble for a while ---


def test_an_incident_waits_a_minute_for_the_first_account_and_a_page_a_quarter_of_an_hour(acme: Acme) -> None:
    with Relay(**LOGIN, script={"ehlo": Close()}) as first, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        _save(acme, first, second)
        begun = fleet.clock.now
        fleet.publish(acme.event("incident@example.org"), _page(acme, "page@example.org"))
        arrived: dict[str, timedelta] = {}
        while len(arrived) < 2:
            fleet.work_once()
            for mail in second.mails:
                arrived.setdefault(mail.rcpt_to[0], fleet.clock.now - begun)

    assert timedelta(seconds=10) < arrived["incident@example.org"] <= timedelta(minutes=3)
    assert timedelta(minutes=5) < arrived["page@example.org"] <= timedelta(minutes=16)
    assert _log(acme, "page@example.org")[-1]["instead_of"] == {"mail_account_id": FIRST, "reason": "breaker_open"}


@pytest.mark.parametrize(
    "script",
    [
        pytest.param({"auth": Say(REFUSED)}, id="refused-credential"),
        pytest.param({"mail": Say("553 5.7.1 not your address")}, id="refused-sender"),
    ],
)
def test_nothing_is_parked_while_the_first_account_may_come_back(acme: Acme, script: dict[str, Say]) -> None:
    with (
        Relay(**LOGIN, script={"ehlo": [Close()] * 6}) as first,
        Relay(**LOGIN, script=script) as second,
        Fleet.of(1) as fleet,
    ):
        _save(acme, first, second)
        fleet.publish(acme.event(ANA, "bo@example.org"))
        fleet.work_until_done()

    assert second.connections > 0
    assert acme.states() == {ANA: "accepted", "bo@example.org": "accepted"}
    assert (len(first.mails), second.mails) == (2, [])
    assert {line["state"] for line in _log(acme)} == {"deferred", "accepted"}


def test_over_its_limit_for_longer_than_a_minute_the_rest_goes_by_the_next_account(acme: Acme) -> None:
    people = [f"p{index}@example.org" for index in range(12)]
    with Relay(**LOGIN) as first, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        _save(acme, first, second, limits={"per_minute": 5})
        fleet.publish(acme.event(*people))
        fleet.work_until_done()

        assert [mail.rcpt_to[0] for mail in first.mails] == people[:5]
        assert [mail.rcpt_to[0] for mail in second.mails] == people[5:]
        assert _log(acme, people[-1])[-1]["instead_of"] == {"mail_account_id": FIRST, "reason": "over_limit"}

        fleet.clock.pass_seconds(10)
        waits = _page(acme, "page@example.org")
        fleet.publish(waits)
        fleet.work_until_done()

        assert first.mails[-1].rcpt_to == ("page@example.org",)


def _crowd(acme: Acme, fleet: Fleet, account_id: str) -> None:
    """Let other processes have all connections of the account for the next hours, whichever it has."""
    client = boto3.client("dynamodb")
    slots = SharedItems(client, Transactions(client, pause=lambda _: None), "EphemeralTable")
    items = slots.read([f"{slot.KIND}{acme.id}#{account_id}#{number}" for number in range(2)])
    slots.write([slot.leased(item, "others", fleet.clock.now + timedelta(hours=2)) for item in items])


def _let_work(fleet: Fleet, *, minutes: float) -> timedelta:
    """Let time pass until nothing comes back any more, or so many minutes are over; how much it was."""
    begun = fleet.clock.now
    while fleet.queue.messages and fleet.clock.now - begun < timedelta(minutes=minutes):
        fleet.work_once()
    return fleet.clock.now - begun


@pytest.mark.parametrize(
    ("type_", "least", "most"),
    [("incident.created", 1.0, 1.25), ("alert.created", 1.0, 1.25), ("status_page.incident_created", 15.0, 16.5)],
)
def test_who_finds_no_connection_for_longer_than_its_family_waits_goes_by_the_next_account(
    acme: Acme, type_: str, least: float, most: float
) -> None:
    with Relay(**LOGIN) as first, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        _save(acme, first, second)
        _crowd(acme, fleet, FIRST)
        event = acme.event(ANA, type=type_)
        event["data"]["status_page"] = {"id": "public", "name": "Acme"}
        fleet.publish(event)
        waited = _let_work(fleet, minutes=60)

    assert (acme.states(), first.mails, len(second.mails)) == ({ANA: "accepted"}, [], 1)
    assert timedelta(minutes=least) <= waited <= timedelta(minutes=most)
    assert _log(acme)[-1]["instead_of"] == {"mail_account_id": FIRST, "reason": "connections_in_use"}


@pytest.mark.parametrize(
    ("policy", "second_too", "second_paused"),
    [
        pytest.param("none", False, False, id="the-project-does-not-allow-it"),
        pytest.param("project", True, False, id="the-next-has-none-either"),
        pytest.param("project", False, True, id="the-next-cannot-send"),
    ],
)
def test_who_finds_no_connection_anywhere_goes_on_asking_and_is_not_parked(
    acme: Acme, policy: str, *, second_too: bool, second_paused: bool
) -> None:
    with Relay(**LOGIN) as first, Relay(**LOGIN) as second, Fleet.of(1) as fleet:
        _save(acme, first, second, policy)
        acme.account_id = SECOND
        acme.change(paused=second_paused)
        _crowd(acme, fleet, FIRST)
        if second_too:
            _crowd(acme, fleet, SECOND)
        fleet.publish(acme.event(ANA))
        _let_work(fleet, minutes=5)

        assert acme.states() == {ANA: "deferred"}
        assert len(_log(acme)) == 1  # nothing more is written while it waits
        assert max(fleet.queue.delays) <= 10

        fleet.clock.pass_seconds(2 * 3600)
        fleet.work_until_done()

    assert (acme.states(), len(first.mails)) == ({ANA: "accepted"}, 1)


# --- The installation's own account, and words to admins ---


@pytest.fixture
def system(acme: Acme) -> Iterator[Acme]:
    """The project of the installation itself, not saved yet; gone after the test, with what was read of it."""
    caches = wiring.settings_store.cache_clear, wiring.receive.cache_clear
    for forget in caches:
        forget()
    system = Acme(id="_system", account_id=f"system-of-{acme.id}")
    yield system
    for sort_key in ("project", f"mail-account#{system.account_id}"):
        key = {"project_id": {"S": "_system"}, "sk": {"S": sort_key}}
        boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)
    for forget in caches:
        forget()


def _word_to_admins(acme: Acme) -> dict[str, Any]:
    event = acme.event("carla@example.org", type="settings.reauthorization_required")
    event["data"]["mail_account"] = {"id": acme.account_id, "name": "Ops mailbox"}
    return event


@pytest.mark.parametrize(("policy", "state"), [("system", "accepted"), ("project", "parked"), ("none", "parked")])
def test_a_refused_credential_falls_back_on_the_installation_only_where_the_project_says_so(
    acme: Acme, system: Acme, deliver: Invoke, policy: str, state: str
) -> None:
    acme.project = {"fallback_policy": policy}
    with Relay(**LOGIN, script={"auth": Say(REFUSED)}) as own, Relay(**LOGIN) as last:
        acme.save(own)
        system.save(last)

        assert deliver(acme.event(ANA)) == []

    assert acme.states() == {ANA: state}
    assert len(last.mails) == (1 if state == "accepted" else 0)


@pytest.mark.parametrize("policy", ["system", "project", "none"])
def test_a_word_to_the_admins_has_the_installation_as_its_last_resort_under_any_policy(
    acme: Acme, system: Acme, deliver: Invoke, policy: str
) -> None:
    acme.project = {"fallback_policy": policy, "routes": {"system": [acme.account_id]}}
    system.project = {"routes": {"system": [system.account_id]}}
    with Relay(**LOGIN, script={"auth": Say(REFUSED)}) as own, Relay(**LOGIN) as last:
        acme.save(own)
        system.save(last)

        assert deliver(_word_to_admins(acme)) == []

    assert acme.states() == {"carla@example.org": "accepted"}
    assert [mail.rcpt_to for mail in last.mails] == [("carla@example.org",)]
    assert _log(acme, "carla@example.org")[-1]["instead_of"]["mail_account_id"] == acme.account_id


@pytest.mark.parametrize("own", ["no-account", "refused"])
def test_a_word_to_the_admins_that_no_account_can_carry_is_said_loudly(
    acme: Acme, system: Acme, deliver: Invoke, capsys: pytest.CaptureFixture[str], own: str
) -> None:
    from functions.deliver.app import logger  # noqa: PLC0415  (after the stack is there)

    del system  # it is not saved
    acme.project = {"routes": {"system": [acme.account_id]} if own == "refused" else {}}
    with Relay(**LOGIN, script={"auth": Say(REFUSED)}) as relay:
        acme.save(relay)
        if own == "no-account":
            key = {"project_id": {"S": acme.id}, "sk": {"S": f"mail-account#{acme.account_id}"}}
            boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)
        logged = io.StringIO()
        stream = logger.registered_handler.setStream(logged)  # type: ignore[attr-defined]  # it is a StreamHandler
        assert deliver(_word_to_admins(acme)) == []
        logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]  # as above

    assert acme.states() == {"carla@example.org": "parked"}
    assert "system_route_without_last_resort" in logged.getvalue()
    assert '"WithoutLastResort":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert "example.org" not in logged.getvalue()


def test_other_notifications_that_no_account_can_carry_raise_no_alarm(
    acme: Acme, deliver: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    acme.changes = {"paused": True}
    acme.save(None)

    deliver(acme.event(ANA))

    assert acme.states() == {ANA: "parked"}
    assert "WithoutLastResort" not in capsys.readouterr().out
