"""The rule that finds the remedy: what holds, what goes first, what becomes of the delivery, how long to wait."""

from __future__ import annotations

import pytest
from tocsin.model.condition import Circumstances, Condition, Failure, Service, StatusRange
from tocsin.model.delivery import NEXT, State
from tocsin.model.remedy import FailureClass, Row, decide, match_order, state_for
from tocsin.model.reply import Phase, Reply
from tocsin.model.wait_hint import wait_hint

PASSWORD = Circumstances(
    service=Service.SMTP, auth_type="password", port=587, host="email-smtp.eu-west-1.amazonaws.com"
)


def row(
    name: str,
    condition: Condition,
    *,
    service: Service | None = Service.SMTP,
    failure_class: FailureClass = FailureClass.CONFIG,
    wait_seconds: int | None = None,
) -> Row:
    return Row(
        id=name,
        service=service,
        condition=condition,
        failure_class=failure_class,
        remedy="Do something.",
        wait_seconds=wait_seconds,
    )


def reply(text: str = "no", *, code: int | None = 550, enhanced: str | None = "5.7.1") -> Reply:
    return Reply(phase=Phase.DATA, code=code, enhanced=enhanced, text=text)


ANYTHING = row("anything", Condition(), service=None)
CODE = row("code", Condition(codes=frozenset({"550"})))
WILD_CODE = row("wild code", Condition(codes=frozenset({"5yz"}), phases=frozenset({Phase.DATA})))
SUBJECT = row("subject", Condition(enhanced=(StatusRange.parse("5.7"),)))
EXACT = row("exact", Condition(enhanced=(StatusRange.parse("5.7.1"),)))
TEXT = row("text", Condition(pattern="blocked"))
TEXT_AND_ENHANCED = row("text and enhanced", Condition(pattern="blocked", enhanced=(StatusRange.parse("5.7.1"),)))


@pytest.mark.parametrize(
    ("rows", "winner"),
    [
        ([CODE, EXACT], "exact"),
        ([SUBJECT, EXACT], "exact"),
        ([CODE, SUBJECT], "subject"),
        ([EXACT, TEXT], "text"),
        ([TEXT, TEXT_AND_ENHANCED], "text and enhanced"),
        ([CODE, WILD_CODE], "wild code"),  # it names the phase as well
        ([], "anything"),
    ],
)
def test_the_narrowest_row_decides(rows: list[Row], winner: str) -> None:
    verdict = decide(reply("blocked"), match_order(rows, [ANYTHING]), PASSWORD)

    assert verdict.remedy_id == winner


def test_defaults_are_asked_last_and_in_their_order() -> None:
    defaults = [row("first", Condition()), TEXT_AND_ENHANCED]

    assert decide(reply("blocked"), match_order([], defaults), PASSWORD).remedy_id == "first"


@pytest.mark.parametrize("service", [Service.TRANSPORT, Service.OWN])
def test_a_server_that_quotes_our_words_is_not_taken_for_us(service: Service) -> None:
    ours = row("ours", Condition(pattern="timed out"), service=service)

    quoted = decide(reply("connection timed out", code=450), [ours, ANYTHING], PASSWORD)
    happened = decide(reply("connection timed out", code=None), [ours, ANYTHING], PASSWORD)

    assert (quoted.remedy_id, happened.remedy_id) == ("anything", "ours")


def test_a_row_of_another_service_does_not_speak() -> None:
    graph = row("graph", Condition(), service=Service.GRAPH)

    assert decide(reply(), [graph, ANYTHING], PASSWORD).remedy_id == "anything"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition(phases=frozenset({Phase.RCPT})), False),
        (Condition(codes=frozenset({"4yz"})), False),
        (Condition(codes=frozenset({"5yz"})), True),
        (Condition(enhanced=(StatusRange.parse("5.7.2-9"),)), False),
        (Condition(enhanced=(StatusRange.parse("5.7.1-9"),)), True),
        (Condition(auth=frozenset({"oauth2"})), False),
        (Condition(grants=frozenset({"client_credentials"})), False),
        (Condition(ports=frozenset({25})), False),
        (Condition(ports=frozenset({587})), True),
        (Condition(hosts=frozenset({"amazonaws.com"})), True),
        (Condition(hosts=frozenset({"email-smtp.eu-west-1.amazonaws.com"})), True),
        (Condition(hosts=frozenset({"aws.com", "example.org"})), False),
        (Condition(challenge=frozenset()), True),
        (Condition(challenge=frozenset({"401"})), False),
        (Condition(pattern="REFUSED"), True),
    ],
)
def test_a_condition_asks_for_each_of_its_fields(condition: Condition, *, holds: bool) -> None:
    assert condition.holds(Failure.of(reply("we refused it"), PASSWORD)) is holds


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("5.7.139", (5, 7, 139), (5, 7, 13)),
        ("4.7.500-699", (4, 7, 699), (4, 7, 700)),
        ("5.1", (5, 1, 999), (5, 10, 1)),
    ],
)
def test_a_status_range_reads_codes_ranges_and_subjects(
    text: str, inside: tuple[int, int, int], outside: tuple[int, int, int]
) -> None:
    status_range = StatusRange.parse(text)

    assert inside in status_range
    assert outside not in status_range


def test_an_enhanced_code_that_is_none_is_left_aside() -> None:
    assert decide(reply(enhanced="5.x"), match_order([SUBJECT], [ANYTHING]), PASSWORD).remedy_id == "anything"


@pytest.mark.parametrize(
    ("failure_class", "state"),
    [
        (FailureClass.AUTH_PERMANENT, State.PARKED),
        (FailureClass.CONFIG, State.PARKED),
        (FailureClass.AUTH_TRANSIENT, State.DEFERRED),
        (FailureClass.THROTTLED, State.DEFERRED),
        (FailureClass.NETWORK, State.DEFERRED),
        (FailureClass.RECIPIENT_TRANSIENT, State.DEFERRED),
        (FailureClass.RECIPIENT_PERMANENT, State.REFUSED),
        (FailureClass.MESSAGE_PERMANENT, State.REFUSED),
        (FailureClass.UNKNOWN, State.UNKNOWN),
    ],
)
def test_a_class_of_failure_leads_to_a_state(failure_class: FailureClass, state: State) -> None:
    assert state_for(failure_class) is state


@pytest.mark.parametrize("failure_class", FailureClass)
def test_every_class_leads_where_a_submission_may_go(failure_class: FailureClass) -> None:
    assert state_for(failure_class) in NEXT[State.SUBMITTING]


def test_a_wait_is_told_only_where_there_is_another_try() -> None:
    asked = reply("try again in 90 seconds")
    parked = row("parked", Condition(), failure_class=FailureClass.CONFIG)
    deferred = row("deferred", Condition(), failure_class=FailureClass.THROTTLED, wait_seconds=5)

    assert decide(asked, [parked], PASSWORD).wait_seconds is None
    assert decide(asked, [deferred], PASSWORD).wait_seconds == 90
    assert decide(reply(), [deferred], PASSWORD).wait_seconds == 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("try again in 5 minutes", 300),
        ("Please try again in 1 hour.", 3600),
        ("retry after 45 sec", 45),
        ("wait 10s before the next message", 10),
        ("Greylisted for 2 minutes", 120),
        ("come back in 00:04:59", 299),
        ("come back in 0:04:59.", 299),
        ("Retry-After: 120", 120),
        ("Retry-After=120; see the manual", 120),
        ("retry in 90", 90),
        ("(please retry in 90)", 90),
        ("please wait 30.", 30),
        ("retry in 1.5 minutes", 90),
        ("retry in 0.2 s", 1),
        ("retry after 5m30s", 330),
        ("try again in 1 hour, 5 minutes and 3 seconds", 3903),
        ("wait 1 hr 30 min", 5400),
        ("wait 2 days", 86_400),
        ("come back in 1d", 86_400),
        ("available again at 14:05:00", None),
        ("try again after 14:05:00", None),
        ("wait until 14:05:00", None),
        ("try again later (14:05:00)", None),
        ("Greylisted [14:05:00 GMT]", None),
        ("Greylisted for 00:05:00", 300),
        ("wait 00:05:00", 300),
        ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("retry in 1798761600", None),
        ("retry in 500 ms", None),
        ("retry in 4.7.1", None),
        ("retry after 2 failed logins", None),
        ("try again later (5 of 10)", None),
        ("try again in 900 hours", 86_400),
        ("try again in 999999 h", 86_400),
        ("try again in 0 seconds", None),
        ("try again later", None),
        ("try again in 5 monkeys", None),
        ("the limit is 25 messages in 5 minutes", None),
        ("Try again later, closing connection. (EHLO) 5d4ab1478bee-20bd8c4 - gsmtp", None),
        ("Try again later, closing connection. (MAIL) ffb5h-20020a17 - gsmtp", None),
        ("Try again later, closing connection. (MAIL) 98d-20020a17 - gsmtp", None),
        ("please try again later [AM7EUR06FT5.eop]", None),
        ("try again later (session 3d5s7)", None),
        ("try again later <7d@relay.example>", None),
        ("(retry in 5m).", 300),
    ],
)
def test_the_wait_is_read_from_the_text(text: str, seconds: int | None) -> None:
    assert wait_hint(text) == seconds
