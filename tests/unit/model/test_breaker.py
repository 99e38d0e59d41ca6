"""The circuit breaker: when it opens, for how long, who may try, and which refusals stop all logins."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tocsin.data.remedies import Remedies
from tocsin.model.breaker import Breaker, Standing, refuses_the_credential
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply

from tests.unit.model.examples import NOW

F = FailureClass
REPLY = Reply(phase=Phase.CONNECT, code=None, text="timed out")


def verdict(failure_class: FailureClass = F.NETWORK, *, wait_seconds: int | None = None) -> Verdict:
    return Verdict(failure_class=failure_class, remedy_id="row", remedy="Help.", wait_seconds=wait_seconds)


def failed(
    breaker: Breaker,
    times: int = 1,
    *,
    of: FailureClass = F.NETWORK,
    wait_seconds: int | None = None,
    jitter: float = 0,
) -> Breaker:
    for _ in range(times):
        breaker = breaker.after_failure(REPLY, verdict(of, wait_seconds=wait_seconds), NOW, jitter=jitter)
        breaker = Breaker.of(breaker.document())  # as the next worker reads it
    return breaker


def pause(breaker: Breaker) -> float:
    """For how many seconds it is open."""
    return (breaker.open_until - NOW).total_seconds() if breaker.open_until is not None else 0


@pytest.mark.parametrize(
    ("failure_class", "times", "standing"),
    [
        (F.NETWORK, 1, Standing.CLOSED),
        (F.NETWORK, 2, Standing.CLOSED),
        (F.NETWORK, 3, Standing.OPEN),
        (F.AUTH_TRANSIENT, 2, Standing.CLOSED),
        (F.AUTH_TRANSIENT, 3, Standing.OPEN),
        (F.UNKNOWN, 3, Standing.OPEN),
        (F.THROTTLED, 1, Standing.OPEN),
    ],
)
def test_three_failures_in_a_row_open_it_and_one_throttle_does(
    failure_class: FailureClass, times: int, standing: Standing
) -> None:
    assert failed(Breaker(), times, of=failure_class).standing(NOW) is standing


@pytest.mark.parametrize(
    ("failure_class", "pauses"),
    [
        (F.NETWORK, [30, 60, 120, 240, 480, 900, 900]),
        (F.THROTTLED, [60, 120, 240, 480, 900, 900]),
    ],
)
def test_pauses_grow_to_a_quarter_of_an_hour(failure_class: FailureClass, pauses: list[int]) -> None:
    breaker = failed(Breaker(), 2 if failure_class is F.NETWORK else 0)

    seen = []
    for _ in pauses:
        breaker = failed(breaker, of=failure_class)
        seen.append(pause(breaker))

    assert seen == pauses


def test_jitter_lengthens_a_pause_by_a_quarter_at_most_and_never_shortens_it() -> None:
    assert [pause(failed(Breaker(), 3, jitter=jitter)) for jitter in (0.0, 0.5, 1.0)] == [30, 33.75, 37.5]


@pytest.mark.parametrize(("wait_seconds", "seconds"), [(None, 60), (5, 60), (90, 90), (86_400, 86_400)])
def test_a_pause_is_never_shorter_than_the_relay_asked_for(wait_seconds: int | None, seconds: int) -> None:
    assert pause(failed(Breaker(), of=F.THROTTLED, wait_seconds=wait_seconds)) == seconds


def test_once_the_pause_is_over_one_may_try_while_the_others_wait_for_a_minute_at_most() -> None:
    breaker = failed(Breaker(), 3)
    later = NOW + timedelta(seconds=30)

    probing = Breaker.of(breaker.probing(later).document())

    assert breaker.standing(later) is Standing.HALF_OPEN
    assert probing.standing(later) is Standing.OPEN
    assert probing.standing(later + timedelta(seconds=60)) is Standing.HALF_OPEN  # the prober may have died


def test_one_who_began_before_it_opened_lengthens_the_pause_only_as_the_relay_asks() -> None:
    breaker = failed(Breaker(), 3)

    late = breaker.after_late_failure(REPLY, verdict(), NOW)
    asked = breaker.after_late_failure(REPLY, verdict(F.THROTTLED, wait_seconds=300), NOW)

    assert (pause(late), pause(asked)) == (30, 300)
    assert (late.pauses, late.failures) == (breaker.pauses, breaker.failures)


def test_what_is_kept_says_what_failed_and_is_read_back_as_it_was() -> None:
    reply = Reply(phase=Phase.MAIL, code=421, enhanced="4.7.0", text="busy" * 500)
    breaker = Breaker().after_failure(reply, verdict(F.THROTTLED), NOW, jitter=0)

    assert Breaker.of(breaker.document()) == breaker
    assert breaker.last is not None
    assert breaker.last.verdict == verdict(F.THROTTLED)
    assert (breaker.last.reply.phase, breaker.last.reply.code) == (Phase.MAIL, 421)
    assert len(breaker.last.text) == 500
    assert Breaker().document() == {}


# --- Refused logins ---


def refused(breaker: Breaker, version: str | None) -> Breaker:
    reply = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="no")
    return breaker.after_refused_login(reply, verdict(F.AUTH_PERMANENT), NOW, credential_version=version)


def test_two_refusals_stop_the_logins_with_this_credential_and_with_no_other() -> None:
    once = refused(Breaker(), "v1")
    twice = refused(once, "v1")

    assert not once.logins_are_stopped("v1")
    assert twice.logins_are_stopped("v1")
    assert not twice.logins_are_stopped("v2")


def test_a_new_credential_has_two_logins_again() -> None:
    anew = refused(refused(refused(Breaker(), "v1"), "v1"), "v2")

    assert not anew.logins_are_stopped("v2")
    assert refused(anew, "v2").logins_are_stopped("v2")


def test_the_second_login_waits_for_those_that_are_under_way() -> None:
    once = refused(Breaker(), "v1")

    later = NOW + timedelta(seconds=30)

    assert once.logins_wait_until("v1", NOW) == later
    assert once.logins_wait_until("v2", NOW) is None
    assert once.logins_wait_until("v1", later) is None
    assert once.logging_in(later).logins_wait_until("v1", later) == later + timedelta(seconds=60)
    assert once.standing(NOW) is Standing.CLOSED
    assert refused(failed(Breaker(), 3), "v1").standing(NOW) is Standing.CLOSED  # the relay was there


PLAIN = "password"
TOKEN = "oauth2"
CHALLENGE = {"status": "400"}


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "auth", "challenge", "counts"),
    [
        pytest.param(535, "5.7.8", "bad credentials", PLAIN, None, True, id="named-by-status"),
        pytest.param(535, None, "Incorrect authentication data", PLAIN, None, True, id="exim-without-status"),
        pytest.param(535, "5.7.0", "(#AUTH005) Too many bad auth attempts.", PLAIN, None, True, id="one-more-locks"),
        pytest.param(534, "5.7.9", "Application-specific password required", PLAIN, None, True, id="app-password"),
        pytest.param(534, "5.7.14", "Please log in via your web browser", PLAIN, None, True, id="web-login"),
        pytest.param(535, None, "Incorrect authentication data", TOKEN, None, False, id="token-not-named"),
        pytest.param(535, "5.7.8", "bad credentials", TOKEN, None, True, id="token-named-by-status"),
        pytest.param(535, None, "no", TOKEN, CHALLENGE, True, id="token-named-by-challenge"),
        pytest.param(454, "4.7.0", "Temporary authentication failure", PLAIN, None, False, id="transient"),
        pytest.param(454, None, "Temporary authentication failure", TOKEN, None, False, id="transient-token"),
        pytest.param(
            535,
            "5.7.8",
            "authentication failed: Connection lost to authentication server",
            PLAIN,
            None,
            False,
            id="dovecot",
        ),
        pytest.param(504, "5.5.4", "Unrecognized authentication type", PLAIN, None, False, id="no-such-mechanism"),
        pytest.param(
            535,
            "5.7.139",
            "SmtpClientAuthentication is disabled for the Tenant.",
            PLAIN,
            None,
            False,
            id="switched-off",
        ),
        pytest.param(421, "4.7.0", "try again later", PLAIN, None, False, id="closing"),
    ],
)
def test_a_refusal_counts_only_if_it_is_the_credentials(
    code: int, enhanced: str | None, text: str, auth: str, challenge: dict[str, str] | None, *, counts: bool
) -> None:
    reply = Reply(phase=Phase.AUTH, code=code, enhanced=enhanced, text=text, challenge=challenge)

    judged = Remedies().verdict(reply, auth_type=auth)

    assert refuses_the_credential(reply, judged, auth_type=auth) is counts


def test_what_is_refused_after_the_login_is_no_refused_login() -> None:
    reply = Reply(phase=Phase.MAIL, code=535, enhanced="5.7.8", text="no")

    assert not refuses_the_credential(reply, verdict(F.AUTH_PERMANENT), auth_type=PLAIN)
