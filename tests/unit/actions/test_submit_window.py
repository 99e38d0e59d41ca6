"""One window: journal `submitting`, tell the relay, journal its answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

import pytest
from tocsin.actions.log_in import NoCredential
from tocsin.model.credential import Credential
from tocsin.model.delivery import State
from tocsin.model.grant import GrantType, OAuth2
from tocsin.model.mail_account import Auth
from tocsin.model.remedy import FailureClass
from tocsin.model.reply import Phase, Reply

from tests.unit.actions.fakes import (
    ACCEPTED,
    LOST,
    FakeJournal,
    FakeRemedies,
    FakeSession,
    entry,
    failure,
)
from tests.unit.actions.windows import items, states, window
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tocsin.actions.submit_window import Window
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount

F = FailureClass
S = State
REFUSED = failure(F.RECIPIENT_PERMANENT, code=550)
THROTTLED = failure(F.THROTTLED)


@pytest.mark.parametrize("last", [False, True])
def test_every_mail_is_journaled_before_the_relay_hears_of_it_and_its_answer_after(*, last: bool) -> None:
    journal = FakeJournal()
    session = FakeSession(before_each=lambda: seen.append(len(journal.writes)))
    seen: list[int] = []

    answers = window(session, journal).submit(items(3), last=last).changes

    assert seen == [1, 1, 1]
    (begun, begun_last), (answered, answered_last) = journal.writes
    assert states(begun) == [(S.SUBMITTING, 1)] * 3
    assert (begun_last, answered_last) == (False, last)
    assert answered == answers
    assert states(answers) == [(S.ACCEPTED, 1)] * 3
    assert all(change.before.state is S.SUBMITTING and change.mail_account_id == "first" for change in answers)
    assert session.deadline == 7.0


def test_what_another_worker_changed_meanwhile_is_not_submitted() -> None:
    journal = FakeJournal(standing={"p1@example.org": entry(S.ACCEPTED, number=1)})
    session = FakeSession()

    answers = window(session, journal).submit(items(3), last=True).changes

    assert session.told == ["p0@example.org", "p2@example.org"]
    assert [change.before.recipient for change in answers] == session.told


def test_a_window_of_which_nothing_is_left_tells_the_relay_nothing() -> None:
    journal = FakeJournal(standing={"p0@example.org": entry(S.ACCEPTED)})
    session = FakeSession()

    assert window(session, journal).submit(items(1), last=True).changes == []
    assert session.told == []


@pytest.mark.parametrize(
    ("replies", "told", "expected"),
    [
        pytest.param(
            [ACCEPTED, REFUSED],
            4,
            [(S.ACCEPTED, 1), (S.REFUSED, 1), (S.ACCEPTED, 1), (S.ACCEPTED, 1)],
            id="a-refused-recipient-goes-on",
        ),
        pytest.param(
            [THROTTLED],
            4,
            [(S.DEFERRED, 1), (S.ACCEPTED, 1), (S.ACCEPTED, 1), (S.ACCEPTED, 1)],
            id="one-throttle-goes-on",
        ),
        pytest.param(
            [THROTTLED, ACCEPTED, THROTTLED],
            3,
            [(S.DEFERRED, 1), (S.ACCEPTED, 1), (S.DEFERRED, 1), (S.DEFERRED, 0)],
            id="a-second-throttle-stops",
        ),
        pytest.param(
            [failure(F.THROTTLED, code=421)],
            1,
            [(S.DEFERRED, 1), *[(S.DEFERRED, 0)] * 3],
            id="a-closing-throttle-stops",
        ),
        pytest.param(
            [ACCEPTED, failure(F.NETWORK, code=None)],
            2,
            [(S.ACCEPTED, 1), (S.DEFERRED, 1), *[(S.DEFERRED, 0)] * 2],
            id="the-network-stops",
        ),
        pytest.param([failure(F.AUTH_PERMANENT, code=535)], 1, [(S.PARKED, 0)] * 4, id="a-refused-credential-stops"),
        pytest.param(
            [failure(F.AUTH_TRANSIENT)], 1, [(S.DEFERRED, 1), *[(S.DEFERRED, 0)] * 3], id="auth-in-trouble-stops"
        ),
        pytest.param([failure(F.CONFIG, code=553)], 1, [(S.PARKED, 0)] * 4, id="a-refused-sender-stops"),
        pytest.param([LOST], 1, [(S.UNKNOWN, 1), *[(S.DEFERRED, 0)] * 3], id="a-lost-answer-stops-and-touches-one"),
    ],
)
def test_what_concerns_the_account_stops_the_window_and_spends_no_attempt_of_the_untold(
    replies: Sequence[Reply], told: int, expected: list[tuple[State, int]]
) -> None:
    session = FakeSession(replies=replies)
    journal = FakeJournal()

    answers = window(session, journal).submit(items(4), last=True).changes

    assert len(session.told) == told
    assert states(answers) == expected
    assert len({change.before.recipient for change in journal.writes[-1][0]}) == 4


def test_what_a_lost_answer_stopped_is_a_matter_of_the_network() -> None:
    answers = window(FakeSession(replies=[LOST])).submit(items(2), last=True).changes

    assert answers[1].verdict is not None
    assert answers[1].verdict.failure_class is F.NETWORK
    assert answers[1].retry_at is not None
    assert answers[1].retry_at > NOW


def test_a_mail_that_was_pulled_ahead_of_the_reply_that_stops_the_window_is_untold() -> None:
    pulled: list[str] = []

    class Ahead(FakeSession):
        def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Iterator[Reply]:
            del deadline
            pulled.extend(one.envelope.rcpt_to for one in islice(mails, 2))
            yield failure(F.NETWORK)

    answers = window(Ahead()).submit(items(3), last=True).changes

    assert len(pulled) == 2
    assert states(answers) == [(S.DEFERRED, 1), (S.DEFERRED, 0), (S.DEFERRED, 0)]


@pytest.mark.parametrize("begun", [0, 2])
def test_what_there_is_no_time_for_is_deferred_and_due_at_once(begun: int) -> None:
    session = FakeSession()

    answers = window(session, may_begin=lambda: len(session.told) < begun).submit(items(3), last=True).changes

    assert len(session.told) == begun
    assert states(answers) == [(S.ACCEPTED, 1)] * begun + [(S.DEFERRED, 0)] * (3 - begun)
    assert {change.retry_at for change in answers[begun:]} == {NOW}
    assert {change.reply.text for change in answers[begun:] if change.reply} == {"out_of_time"}


@pytest.mark.parametrize(("state", "resubmitted"), [(S.DEFERRED, False), (S.SUBMITTING, False), (S.UNKNOWN, True)])
def test_a_further_try_counts_and_one_after_an_unknown_outcome_is_marked(state: State, *, resubmitted: bool) -> None:
    journal = FakeJournal()

    [answer] = window(FakeSession(), journal).submit(items(1, state=state, attempt=2), last=True).changes

    assert (answer.state, answer.attempt, answer.before.resubmitted) == (S.ACCEPTED, 3, resubmitted)
    assert answer.before.message_id == "<0@acme.example>"


def test_a_relay_that_falls_silent_leaves_the_rest_for_later() -> None:
    """A session that gives fewer replies than mails has no more to say about them."""

    class Silent(FakeSession):
        def submit(self, mails: object, *, deadline: float) -> object:  # type: ignore[override]  # narrower on purpose
            del mails, deadline
            return iter([ACCEPTED])

    answers = window(Silent()).submit(items(3), last=True).changes

    assert states(answers) == [(S.ACCEPTED, 1), (S.DEFERRED, 0), (S.DEFERRED, 0)]


@pytest.mark.parametrize(
    ("code", "challenge", "asked"),
    [
        pytest.param(535, None, 1, id="535"),
        pytest.param(535, {"status": "401"}, 1, id="535-after-a-challenge"),
        pytest.param(501, {"status": "400"}, 1, id="501-after-a-challenge"),
        pytest.param(454, None, 0, id="454"),
        pytest.param(454, {"status": "401"}, 0, id="454-after-a-challenge"),
        pytest.param(None, None, 0, id="no-answer"),
    ],
)
def test_only_a_permanent_refusal_asks_for_another_token_and_only_once(
    code: int | None, challenge: dict[str, str] | None, asked: int
) -> None:
    refusal = replace(failure(F.AUTH_TRANSIENT, code=code), phase=Phase.AUTH, challenge=challenge)
    asks: list[MailAccount] = []
    one = window(FakeSession(replies=[refusal, refusal, refusal]))
    one.another_credential = _another(asks)
    one.submit(items(3), last=True)

    assert len(asks) == asked


def _another(asks: list[MailAccount], *, at_most: int = 9) -> Callable[[MailAccount], tuple[MailAccount, Credential]]:
    """Another token for whichever account asks; after so many there is none for now."""

    def another_credential(of: MailAccount) -> tuple[MailAccount, Credential]:
        asks.append(of)
        if len(asks) > at_most:
            reply = Reply(phase=Phase.SETTINGS, code=None, text="later")
            raise NoCredential(reply, FakeRemedies().verdict(failure(F.AUTH_TRANSIENT), auth_type="oauth2"))
        version = f"v{len(asks)}"
        newest = of.model_copy(update={"credential_version": version})
        return newest, Credential(version=version, username="ops", token="t0ken")

    return another_credential


_NO = replace(failure(F.AUTH_PERMANENT, code=535), phase=Phase.AUTH, enhanced="5.7.8")


@pytest.mark.parametrize(
    ("replies", "at_most", "expected", "asked", "is_lost"),
    [
        pytest.param([_NO, _NO], 9, [(S.PARKED, 0)] * 3, 1, True, id="the-new-one-is-refused-as-well"),
        pytest.param([_NO], 0, [(S.DEFERRED, 0)] * 3, 1, False, id="there-is-no-new-one-for-now"),
        pytest.param(
            [_NO, ACCEPTED, _NO], 1, [(S.ACCEPTED, 1), *[(S.DEFERRED, 0)] * 2], 2, False, id="the-new-one-worked-before"
        ),
        pytest.param([_NO, ACCEPTED, _NO], 2, [(S.ACCEPTED, 1)] * 3, 2, False, id="one-that-worked-is-renewed-in-turn"),
    ],
)
def test_an_account_is_lost_only_where_a_new_token_was_tried_and_refused(
    replies: list[Reply], at_most: int, expected: list[tuple[State, int]], asked: int, *, is_lost: bool
) -> None:
    asks: list[MailAccount] = []
    one = window(FakeSession(replies=iter(replies)))
    oauth2 = OAuth2(grant=GrantType.REFRESH_TOKEN, client_id="c")
    one.account = one.account.model_copy(
        update={"auth": Auth(type="oauth2", username="ops", oauth2=oauth2), "credential_version": "v0"}
    )
    one.another_credential = _another(asks, at_most=at_most)

    submitted = one.submit(items(3), last=True)

    assert states(submitted.changes) == expected
    assert [of.credential_version for of in asks] == [f"v{number}" for number in range(asked)]
    assert (one.refused is not None) is is_lost


def _fail(*_: object) -> NoReturn:
    raise LookupError


def _break_the_session(window: Window, session: FakeSession) -> None:
    del window
    session.before_each = lambda: _fail() if len(session.told) == 2 else None


def _break_the_renewal(window: Window, session: FakeSession) -> None:
    window.another_credential = _fail
    session.replies = [*session.replies, replace(failure(F.AUTH_PERMANENT, code=535), phase=Phase.AUTH)]


@pytest.mark.parametrize("break_", [_break_the_session, _break_the_renewal])
def test_the_answers_that_were_heard_are_journaled_whatever_goes_wrong_behind_them(
    break_: Callable[[Window, FakeSession], None],
) -> None:
    journal, session = FakeJournal(), FakeSession(replies=[ACCEPTED, REFUSED])
    one = window(session, journal)
    break_(one, session)

    submitted = one.submit(items(4), last=True)

    assert isinstance(submitted.trouble, LookupError)
    (begun, _), (answered, is_last) = journal.writes
    assert len(begun) == 4
    assert states(answered) == states(submitted.changes) == [(S.ACCEPTED, 1), (S.REFUSED, 1)]
    assert not is_last  # the others are found when the lease ends, as after a crash


def test_the_answers_of_an_earlier_window_are_not_journaled_again() -> None:
    journal, session = FakeJournal(), FakeSession()
    one = window(session, journal)
    one.submit(items(1), last=False)
    session.before_each = _fail

    assert one.submit(items(1), last=True).changes == []
    assert journal.writes[-1] == ([], False)


# --- Another account ---


LATER = NOW + timedelta(seconds=3)


@pytest.mark.parametrize("failure_class", [F.AUTH_PERMANENT, F.CONFIG])
def test_what_would_be_parked_is_passed_on_where_there_is_another_account(failure_class: FailureClass) -> None:
    journal = FakeJournal()
    one = window(FakeSession(replies=[ACCEPTED, failure(failure_class)]), journal)
    one.next_account_from = LATER

    submitted = one.submit(items(4), last=True)

    assert states(submitted.changes) == [(S.ACCEPTED, 1)]
    assert states(submitted.passed_on) == [(S.DEFERRED, 0)] * 3
    assert {change.retry_at for change in submitted.passed_on} == {NOW}
    assert submitted.stop is not None
    assert journal.writes[-1][1] is False  # the chunk is still this worker's


@pytest.mark.parametrize("failure_class", [F.NETWORK, F.THROTTLED, F.AUTH_TRANSIENT])
@pytest.mark.parametrize(
    ("next_from", "passed_on", "retry_at"),
    [
        pytest.param(LATER, 0, LATER, id="waits-until-the-next-account-may-be-used"),
        pytest.param(NOW, 2, NOW, id="waited-for-long-enough"),
        pytest.param(NOW + timedelta(days=1), 0, NOW + timedelta(seconds=10), id="is-tried-again-before-that"),
    ],
)
def test_what_passes_by_itself_is_waited_for_until_the_next_account_may_be_used(
    failure_class: FailureClass, next_from: datetime, passed_on: int, retry_at: datetime
) -> None:
    journal = FakeJournal()
    one = window(FakeSession(replies=[failure(failure_class, code=421)]), journal)
    one.next_account_from = next_from

    submitted = one.submit(items(2), last=True)

    written = [*submitted.passed_on, *submitted.changes]
    assert len(submitted.passed_on) == passed_on
    assert states(written) == [(S.DEFERRED, 1), (S.DEFERRED, 0)]
    assert {change.retry_at for change in written} == {retry_at}
    assert journal.writes[-1][1] is (passed_on == 0)


def test_a_recipient_that_is_greylisted_and_a_lost_answer_stay_with_the_account() -> None:
    replies = [failure(F.RECIPIENT_TRANSIENT), LOST]
    one = window(FakeSession(replies=replies))
    one.next_account_from = NOW

    submitted = one.submit(items(3), last=True)

    assert states(submitted.changes) == [(S.DEFERRED, 1), (S.UNKNOWN, 1)]
    assert states(submitted.passed_on) == [(S.DEFERRED, 0)]
