"""AWS throttles, fails or loses an answer at any call of a run: nobody is lost, nothing is repeated but in-flight."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.deliver.trouble import LOST_ANSWER, Trouble, refused, trouble_with_aws
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Stack
    from tests.functional.deliver.trouble import Afflicted, Call

PEOPLE = ("ana@example.org", "bo@example.org", "cy@example.org")
LIMITS = {"limits": {"connections": 4, "per_minute": 100, "per_day": 1000}}
THROTTLED = refused("ThrottlingException")
CONFLICT = refused("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])


@pytest.fixture
def calls_of_a_run(stack: Stack, deliver: Invoke) -> int:
    """How many calls a run makes where all goes well."""
    acme = Acme(changes=LIMITS)
    with Relay(**LOGIN) as relay, trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
        acme.save(relay)
        assert deliver(acme.event(*PEOPLE)) == []
    stack.forget_deliveries()
    return len(calls)


@pytest.mark.parametrize("trouble", [THROTTLED, LOST_ANSWER], ids=["throttled", "lost-answer"])
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from-then-on"])
def test_trouble_at_any_call_of_a_run_loses_nobody_and_repeats_only_what_was_in_flight(
    stack: Stack,
    deliver: Invoke,
    caplog: pytest.LogCaptureFixture,
    calls_of_a_run: int,
    trouble: Trouble,
    *,
    lasts: bool,
) -> None:
    for number in range(calls_of_a_run):
        first_run = _trouble_from(number, lasts=lasts)
        _check_one_run(deliver, trouble, first_run)
        stack.forget_deliveries()

    assert "record_given_back" in caplog.messages
    assert "record_failed" not in caplog.messages


def _trouble_from(number: int, *, lasts: bool) -> Afflicted:
    return lambda call: call.number >= number if lasts else call.number == number


def _check_one_run(deliver: Invoke, trouble: Trouble, at: Afflicted) -> None:
    acme = Acme(changes=LIMITS)
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = acme.event(*PEOPLE)
        with trouble_with_aws(trouble, at=at):
            given_back = deliver(event)
        in_flight = {name for name, state in acme.states().items() if state == "submitting"}
        assert given_back or set(acme.states().values()) == {"accepted"}
        acme.end_leases()

        assert deliver(event, receive_count=2) == []

    mails = Counter(mail.rcpt_to[0] for mail in relay.mails)
    assert acme.states() == dict.fromkeys(PEOPLE, "accepted")
    assert {name: number for name, number in mails.items() if number > 1 + (name in in_flight)} == {}
    assert set(mails) == set(PEOPLE)


@pytest.mark.parametrize("trouble", [THROTTLED, CONFLICT], ids=["throttled", "conflict"])
def test_a_transaction_in_trouble_for_a_moment_is_repeated_and_no_mail_is(
    deliver: Invoke, acme: Acme, trouble: Trouble
) -> None:
    seen: list[str] = []

    def every_other_transaction(call: Call) -> bool:
        seen.append(call.name)
        return call.name == "TransactWriteItems" and seen.count(call.name) % 2 == 1

    acme.changes = LIMITS
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        with trouble_with_aws(trouble, at=every_other_transaction):
            assert deliver(acme.event(*PEOPLE)) == []

    assert seen[: seen.index("PutEvents")].count("TransactWriteItems") == 4
    assert acme.states() == dict.fromkeys(PEOPLE, "accepted")
    assert sorted(mail.rcpt_to[0] for mail in relay.mails) == sorted(PEOPLE)


@pytest.mark.parametrize(
    ("state", "given_back", "mails"),
    [
        pytest.param("submitting", ["message-0"], 0, id="before-the-relay-is-told"),
        pytest.param("accepted", [], 3, id="with-the-answers"),
    ],
)
def test_a_crowd_around_what_is_shared_of_an_account_costs_no_answer(
    deliver: Invoke, acme: Acme, state: str, given_back: list[str], mails: int
) -> None:
    def crowd(call: Call) -> bool:
        return '"EphemeralTable"' in call.body and f'"{state}"' in call.body

    acme.changes = LIMITS
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        with trouble_with_aws(CONFLICT, at=crowd) as calls:
            assert deliver(acme.event(*PEOPLE)) == given_back

    assert any(map(crowd, calls))
    assert len(relay.mails) == mails
    assert acme.states() == (dict.fromkeys(PEOPLE, "accepted") if mails else {})


@pytest.mark.parametrize("losses", [1, 2])
@pytest.mark.parametrize(
    ("script", "state", "messages"),
    [
        pytest.param({}, "accepted", 0, id="accepted"),
        pytest.param({"rcpt": Say("450 4.2.0 later")}, "deferred", 1, id="deferred"),
        pytest.param({"content": Close()}, "unknown", 1, id="unknown"),
    ],
)
def test_answers_that_are_journaled_are_told_and_come_back_though_nobody_heard_that_they_are(
    stack: Stack, deliver: Invoke, acme: Acme, script: dict[str, Any], state: str, messages: int, losses: int
) -> None:
    transactions: list[int] = []

    def with_the_answers(call: Call) -> bool:
        if call.name == "TransactWriteItems" and call.number not in transactions:
            transactions.append(call.number)
        return call.number in transactions[1 : 1 + losses]

    acme.changes = LIMITS
    with Relay(**LOGIN, script=script) as relay:
        acme.save(relay)
        with trouble_with_aws(LOST_ANSWER, at=with_the_answers):
            assert deliver(acme.event(PEOPLE[0])) == []

    assert acme.states() == {PEOPLE[0]: state}
    assert [line["state"] for line in acme.deliveries()[PEOPLE[0]]["log"]] == [state]
    assert [event["detail-type"] for event in stack.events()] == [f"delivery.{state}"]
    assert stack.delayed("BulkQueue", acme.id) == messages


def test_a_missing_permission_is_an_error_for_the_operators(
    deliver: Invoke, acme: Acme, caplog: pytest.LogCaptureFixture
) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        with trouble_with_aws(refused("AccessDeniedException"), at=lambda call: call.name == "BatchGetItem"):
            assert deliver(acme.event(*PEOPLE)) == ["message-0"]

    assert "record_failed" in caplog.messages
    assert relay.mails == []
