"""A storm: a person gets so many mails of a thread, and of a route, in a window; the rest comes in one digest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTPUTF8
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.errors import TransientError

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.relay import Close, Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.functional.deliver.stack import Acme, Json, Stack
    from tests.relay.record import ReceivedMail

ANA, BO = "ana@example.org", "bo@example.org"
PER_THREAD, IN_ALL = 3, 5


@pytest.fixture
def relay() -> Iterator[Relay]:
    """The relay of Acme's account."""
    with Relay(**LOGIN) as relay:
        yield relay


@pytest.fixture
def fleet(acme: Acme, relay: Relay) -> Iterator[Fleet]:
    """One process, and a project that allows three mails of a thread and five in all."""
    acme.project = {"storm_control": {"mails_per_thread": PER_THREAD, "mails_in_all": IN_ALL}}
    acme.save(relay)
    with Fleet.of(1) as fleet:
        yield fleet


def _thread(acme: Acme, count: int, *people: str, type_: str = "incident.created", **incident: Any) -> list[Json]:  # noqa: ANN401  (JSON)
    """Events of one thread."""
    events = [acme.event(*people, type=type_, subject="incident/42") for _ in range(count)]
    for event in events:
        event["data"]["incident"] |= {"id": "42", "number": 42, "title": "Search is slow"} | incident
    return events


def _why(acme: Acme) -> Counter[tuple[str, str]]:
    """How many deliveries stand how, and why; those of digests aside."""
    mails = [one for one in acme.every_delivery() if one["type"] != "delivery.digest"]
    return Counter((one["state"], one["log"][-1]["reply"]["text"].partition(" ")[0]) for one in mails)


def _subject(mail: ReceivedMail) -> str:
    return str(message_from_bytes(mail.content, policy=SMTPUTF8)["Subject"])


def _digests(relay: Relay) -> list[str]:
    return [subject for subject in map(_subject, relay.mails) if subject.startswith("[Digest]")]


def test_a_mail_more_than_a_thread_may_have_waits_and_says_why(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, PER_THREAD + 1))

    fleet.work_once()

    assert len(relay.mails) == PER_THREAD
    [held] = [one for one in acme.every_delivery() if one["state"] != "accepted"]
    assert (held["state"], held["attempt"]) == ("deferred", 0)
    assert held["log"][-1]["reply"] == {"phase": "settings", "text": "held_for_digest"}
    assert held["log"][-1]["remedy_id"] == "held-for-digest"
    assert 600 <= min(fleet.queue.delays) <= 630


def test_what_was_held_comes_in_one_digest_at_the_end_of_the_window(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, 9))

    fleet.work_until_done()

    assert _digests(relay) == ["[Digest] 6 notifications about [Incident #42] Search is slow"]
    assert len(relay.mails) == PER_THREAD + 1
    assert _why(acme) == {("accepted", "2.0.0"): PER_THREAD, ("suppressed", "in_digest"): 6}
    deliveries = acme.every_delivery()
    [digest] = [one for one in deliveries if one["type"] == "delivery.digest"]
    [reason] = {one["log"][-1]["reply"]["text"] for one in deliveries if one["state"] == "suppressed"}
    assert digest["pk"].split("#")[1] in reason
    assert not [one for one in deliveries if one.keys() & {"held_for", "held", "retry_at", "due_shard"}]


def test_the_bus_hears_of_each_mail_that_is_held_and_of_its_end(stack: Stack, acme: Acme, fleet: Fleet) -> None:
    fleet.publish(*_thread(acme, PER_THREAD + 2))
    fleet.work_until_done()

    told = [event for event in stack.events() if event["detail"]["project_id"] == acme.id]

    reasons = [one["deliveries"][0]["reply"]["text"].partition(" ")[0] for one in (event["detail"] for event in told)]
    kinds = [event["detail-type"] for event in told]
    assert Counter(zip(kinds, reasons, strict=True)) == {
        ("delivery.accepted", "2.0.0"): PER_THREAD + 1,
        ("delivery.deferred", "held_for_digest"): 2,
        ("delivery.suppressed", "in_digest"): 2,
    }
    named = {event["detail"]["notification"]["type"] for event in told if event["detail-type"] != "delivery.accepted"}
    assert named == {"incident.created"}


def test_all_threads_of_a_route_have_an_end_together(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*(acme.event(type="alert.created") for _ in range(IN_ALL + 4)))

    fleet.work_until_done()

    assert _digests(relay) == ["[Digest] 4 alerts in 1 min"]
    assert len(relay.mails) == IN_ALL + 1


@pytest.mark.parametrize(
    ("type_", "incident", "control"),
    [
        pytest.param("incident.created", {"kind": "critical"}, {}, id="critical-kind"),
        pytest.param("incident.created", {"severity": "Critical"}, {}, id="critical-severity"),
        pytest.param("incident.acknowledge_request", {}, {}, id="asks-to-act"),
        pytest.param("status_page.incident_created", {}, {}, id="subscribers"),
        pytest.param("incident.created", {}, {"enabled": False}, id="switched-off"),
    ],
)
def test_what_may_not_wait_goes_at_once(acme: Acme, relay: Relay, type_: str, incident: Json, control: Json) -> None:
    acme.project = {"storm_control": {"mails_per_thread": PER_THREAD, "mails_in_all": IN_ALL} | control}
    acme.save(relay)
    events = _thread(acme, 7, type_=type_, **incident)
    for event in events:
        event["data"]["status_page"] = {"id": "public"}
    with Fleet.of(1) as fleet:
        fleet.publish(*events)
        fleet.work_until_done()

    assert len(relay.mails) == len(events)
    assert _digests(relay) == []


def test_each_person_and_each_route_is_counted_by_itself(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, 4))
    fleet.work_once()
    fleet.publish(*_thread(acme, 1, ANA, BO), acme.event(ANA, type="alert.created"))

    fleet.work_once()

    assert Counter(mail.rcpt_to[0] for mail in relay.mails) == {ANA: PER_THREAD + 1, BO: 1}


def test_a_window_over_mails_go_at_once_again(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, PER_THREAD))
    fleet.work_once()
    fleet.clock.pass_seconds(601)
    fleet.publish(*_thread(acme, PER_THREAD))

    fleet.work_once()

    assert len(relay.mails) == 2 * PER_THREAD


def test_what_is_held_is_told_of_though_its_own_life_is_over(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    events = _thread(acme, PER_THREAD + 2)
    for event in events:
        event["data"]["options"] = {"expires_at": (fleet.clock.now + timedelta(days=365)).isoformat()}
    events[-1]["data"]["options"] = {"expires_at": (fleet.clock.now + timedelta(seconds=1)).isoformat()}
    fleet.publish(*events)

    fleet.work_until_done()

    assert len(_digests(relay)) == 1
    assert _why(acme)["suppressed", "in_digest"] == 2


def test_no_digest_goes_to_who_is_suppressed_by_then(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, PER_THREAD + 2))
    fleet.work_once()
    acme.suppress(ANA)

    fleet.work_until_done()

    assert _digests(relay) == []
    assert _why(acme)["suppressed", "suppressed"] == 2


def test_a_digest_goes_by_the_account_that_its_mails_name(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    with Relay(**LOGIN) as other:
        acme.project |= {"routes": {"incident": [acme.account_id]}}
        acme.account_id = "01JD7Z0000000000000SECOND2"
        acme.save(other)
        events = _thread(acme, PER_THREAD + 2)
        for event in events:
            event["data"]["options"] = {"mail_account_id": acme.account_id}
        fleet.publish(*events)

        fleet.work_until_done()

        assert len(other.mails) == PER_THREAD + 1
    assert relay.mails == []


def test_many_people_of_one_event_are_each_counted_by_themselves(acme: Acme, relay: Relay) -> None:
    people = [f"p{number}@example.org" for number in range(21)]  # more than are counted in one write with their mails
    acme.project = {"storm_control": {"mails_per_thread": 1}}
    acme.save(relay)
    with Fleet.of(1) as fleet:
        fleet.publish(*_thread(acme, 2, *people))

        fleet.work_once()

    assert Counter(mail.rcpt_to[0] for mail in relay.mails) == dict.fromkeys(people, 1)
    assert _why(acme)["deferred", "held_for_digest"] == len(people)


def test_a_mail_that_its_relay_did_not_hear_of_in_time_counts_once(acme: Acme) -> None:
    acme.project = {"storm_control": {"mails_per_thread": PER_THREAD}}
    with Relay(**LOGIN, script={"connect": [Close()] * 2}) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        fleet.publish(*_thread(acme, 1, ANA, BO))
        fleet.work_until_done()
        fleet.publish(*_thread(acme, PER_THREAD - 1, ANA, BO))

        fleet.work_until_done()

    assert Counter(mail.rcpt_to[0] for mail in relay.mails) == {ANA: PER_THREAD, BO: PER_THREAD}
    assert _digests(relay) == []


def test_two_people_of_one_event_each_have_their_own_digest(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, PER_THREAD + 1, ANA, BO))

    fleet.work_until_done()

    assert Counter(mail.rcpt_to[0] for mail in relay.mails) == {ANA: PER_THREAD + 1, BO: PER_THREAD + 1}
    assert len(_digests(relay)) == len({ANA, BO})


def test_workers_at_the_same_time_send_no_more_than_one_would_and_one_digest(acme: Acme, relay: Relay) -> None:
    acme.project = {"storm_control": {"mails_per_thread": PER_THREAD, "mails_in_all": IN_ALL}}
    acme.changes = {"limits": {"connections": 4}}
    acme.save(relay)
    with Fleet.of(3) as fleet:
        fleet.publish(*_thread(acme, 9))

        fleet.work_until_done()

    assert len(relay.mails) == PER_THREAD + 1
    assert len(_digests(relay)) == 1
    assert _why(acme)["suppressed", "in_digest"] == 9 - PER_THREAD


# --- Death ---


class Killed(TransientError):
    """The function is no more: nothing of it goes on, and its message comes again."""


@dataclass
class DiesOnce:
    """What a digest is made with, and dies once: before or after a step is done for the nth time."""

    step: str
    nth: int
    when: str

    def around(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        """The step, or the death."""

        def done(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (the step's own signature)
            self.nth -= name == self.step
            dies = name == self.step and self.nth == 0
            if dies and self.when == "before":
                raise Killed("before")
            result = do(*args, **kwargs)
            if dies:
                raise Killed("after")
            return result

        return done


class Mortal:
    """What is held, as somebody sees it who may die at any step."""

    def __init__(self, mails: Any, death: DiesOnce) -> None:  # noqa: ANN401  (whatever has the steps)
        self._mails = mails
        self._death = death

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A step."""
        return self._death.around(name, getattr(self._mails, name))


_TAKEN, _WRITTEN_DOWN, _LET_GO = 1, 2, 3


@pytest.mark.parametrize(
    ("step", "nth", "when"),
    [
        pytest.param("put", _TAKEN, "after", id="having-taken-it"),
        pytest.param("publish", 1, "before", id="before-it-is-published"),
        pytest.param("publish", 1, "after", id="having-published-it"),
        pytest.param("put", _WRITTEN_DOWN, "after", id="having-written-that-down"),
        pytest.param("end", 1, "after", id="having-ended-some"),
        pytest.param("put", _LET_GO, "before", id="having-ended-all"),
    ],
)
def test_a_death_at_any_step_loses_nothing_and_mails_one_digest(
    acme: Acme, fleet: Fleet, relay: Relay, monkeypatch: pytest.MonkeyPatch, step: str, nth: int, when: str
) -> None:
    monkeypatch.setattr("tocsin.actions.send_digest._AT_ONCE", 2)
    fleet.publish(*_thread(acme, 2 * PER_THREAD))
    fleet.work_once()
    death = DiesOnce(step, nth, when)
    process = fleet.processes[0]
    process.digests = replace(
        process.digests,
        mails=Mortal(process.digests.mails, death),
        publish=death.around("publish", process.digests.publish),
    )

    fleet.work_until_done()

    assert fleet.errors == {"Killed": 1}
    assert len(_digests(relay)) == 1
    assert _why(acme)["suppressed", "in_digest"] == PER_THREAD


def test_who_lost_the_digest_to_another_ends_nothing_more(acme: Acme, fleet: Fleet, relay: Relay) -> None:
    fleet.publish(*_thread(acme, 2 * PER_THREAD))
    fleet.work_once()
    process, ends = fleet.processes[0], list[int]()
    mails = process.digests.mails

    class Slow(Mortal):
        def end(self, some: Sequence[Any], digest_id: str, *, while_stands: Any) -> Any:  # noqa: ANN401
            """Another worker takes the digest, for too long was nothing heard of this one."""
            if not ends:
                mails.put(while_stands.with_document(while_stands.document, forgotten_at=fleet.clock.now))
            ends.append(len(some))
            return mails.end(some, digest_id, while_stands=while_stands)

    process.digests = replace(process.digests, mails=Slow(mails, DiesOnce("", 0, "")))

    fleet.work_until_done()

    assert len(ends) == 2
    assert len(_digests(relay)) == 1
    assert _why(acme)["suppressed", "in_digest"] == PER_THREAD
