"""The remedies: every row is complete and reached by its own samples, and every failure has a verdict."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.failures import Mishap
from tocsin.data.remedies import Remedies, document
from tocsin.model.condition import Service
from tocsin.model.delivery import State
from tocsin.model.remedy import FailureClass, state_for
from tocsin.model.reply import Phase, Reply

from tests.unit.data.samples import ANSWERED_PHASES, AUTH_TYPES, reply_from, samples_of

_DOCUMENT = document()
_ENTRIES: list[dict[str, Any]] = [*_DOCUMENT["rows"], *_DOCUMENT["defaults"]]
_EACH_ENTRY = pytest.mark.parametrize("entry", [pytest.param(entry, id=entry["id"]) for entry in _ENTRIES])

_ENTRY_KEYS = {"number", "id", "service", "class", "remedy", "wait_seconds", "refresh_first", "when"}
_CONDITIONS = {"phases", "codes", "enhanced", "pattern", "auth", "grants", "ports", "hosts", "challenge"}
_WAY_KEYS = _CONDITIONS | {"sample", "unverified"}
_CONFIG_ALTHOUGH_4YZ = {
    "microsoft-mailbox-logon-failure",
    "sendgrid-credits-exceeded",
    "sendgrid-sender-not-verified",
    "mailgun-not-allowed-to-send",
    "starttls-demanded",
}
"""The only rows that park an account for a 4yz reply."""

_REPLY = partial(
    st.builds,
    Reply,
    phase=st.sampled_from(Phase),
    code=st.none() | st.integers(200, 599),
    text=st.text() | st.sampled_from([when["sample"] for entry in _ENTRIES for when in entry["when"]]),
    enhanced=st.none()
    | st.text(max_size=12)
    | st.builds("{}.{}.{}".format, st.sampled_from("245"), st.integers(0, 7), st.integers(0, 999)),
    challenge=st.none() | st.dictionaries(st.sampled_from(["status", "scope"]), st.sampled_from(["400", "401", ""])),
)


@_EACH_ENTRY
def test_every_sample_is_known_by_its_own_row(entry: dict[str, Any]) -> None:
    for sample in samples_of(entry):
        known = sample.circumstances

        verdict = Remedies().verdict(
            sample.reply,
            auth_type=known.auth_type,
            port=known.port,
            host=known.host,
            grant=known.grant,
            service=known.service,
        )

        assert (verdict.remedy_id, verdict.failure_class.value) == (entry["id"], entry["class"]), sample.reply
        assert verdict.remedy == entry["remedy"]


def test_the_whole_reference_table_is_there() -> None:
    assert {entry["number"] for entry in _DOCUMENT["rows"] if "number" in entry} == set(range(1, 151))


def test_ids_are_unique_slugs() -> None:
    counts = Counter(entry["id"] for entry in _ENTRIES)

    assert [slug for slug, count in counts.items() if count > 1] == []
    assert [slug for slug in counts if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)] == []


@_EACH_ENTRY
def test_every_remedy_is_whole_sentences(entry: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z].{20,}\.", entry["remedy"])


@_EACH_ENTRY
def test_no_entry_holds_a_misspelt_key(entry: dict[str, Any]) -> None:
    assert set(entry) <= _ENTRY_KEYS
    assert all(set(when) <= _WAY_KEYS for when in entry["when"])


@_EACH_ENTRY
def test_a_wait_is_named_only_where_there_is_another_try(entry: dict[str, Any]) -> None:
    if "wait_seconds" in entry:
        assert state_for(FailureClass(entry["class"])) is State.DEFERRED
        assert 0 < entry["wait_seconds"] <= 86_400


@_EACH_ENTRY
def test_patterns_repeat_only_within_bounds(entry: dict[str, Any]) -> None:
    for when in entry["when"]:
        assert not re.search(r"(?<!\\)[*+]|\{\d*,\}", when.get("pattern", ""))


@pytest.mark.parametrize(
    "entry", [pytest.param(entry, id=entry["id"]) for entry in _ENTRIES if entry.get("service") == "smtp"]
)
def test_what_a_relay_says_is_known_by_its_code_too(entry: dict[str, Any]) -> None:
    for when in entry["when"]:
        assert when["codes"]
        assert all(re.fullmatch(r"[45](yz|\d\d)", code) for code in when["codes"])


@pytest.mark.parametrize("filling", ["a", " ", "0", "5.7.1 ", "\n550-5.7.1 ", "try again ", "exceeds ", "scope ", "("])
def test_a_long_reply_is_judged_quickly(filling: str) -> None:
    reply = Reply(phase=Phase.DATA, code=550, enhanced="5.7.1", text=filling * (65_536 // len(filling)))
    remedies = Remedies()
    remedies.verdict(reply, auth_type="password")
    begun = time.process_time()

    remedies.verdict(reply, auth_type="password")

    assert time.process_time() - begun < 0.5


def test_no_pattern_backtracks_on_words_of_its_own() -> None:
    patterns = [(when["pattern"], when["sample"]) for entry in _ENTRIES for when in entry["when"] if "pattern" in when]
    begun = time.process_time()

    for pattern, sample in patterns:
        words = sample.split()
        for word in words:
            re.search(pattern, f"{word} " * (4_096 // (len(word) + 1)), re.IGNORECASE)
            re.search(pattern, word * (4_096 // len(word)), re.IGNORECASE)

    assert time.process_time() - begun < 20


def test_a_healthy_start_does_not_read_the_table() -> None:
    script = "import sys; from tocsin.data.remedies import Remedies; Remedies(); print('tomllib' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603  our own interpreter

    assert done.stdout == "False\n"


@given(reply=_REPLY(), auth_type=st.sampled_from(AUTH_TYPES), service=st.sampled_from(Service))
def test_every_reply_has_a_verdict(reply: Reply, auth_type: str, service: Service) -> None:
    verdict = Remedies().verdict(reply, auth_type=auth_type, service=service)

    assert verdict.remedy


@given(reply=_REPLY(code=st.integers(400, 499)))
def test_a_4yz_reply_never_refuses_a_mail(reply: Reply) -> None:
    verdict = Remedies().verdict(reply, auth_type="password")

    assert (
        reply.phase is Phase.AFTER_DATA
        or verdict.remedy_id in _CONFIG_ALTHOUGH_4YZ
        or state_for(verdict.failure_class) is State.DEFERRED
    )


@given(text=st.text(), phase=st.sampled_from(ANSWERED_PHASES))
def test_a_503_is_a_session_out_of_step_in_every_phase(text: str, phase: Phase) -> None:
    verdict = Remedies().verdict(Reply(phase=phase, code=503, text=text), auth_type="password")

    assert verdict.failure_class is FailureClass.NETWORK


@given(reply=_REPLY(phase=st.just(Phase.AFTER_DATA), code=st.none()))
def test_after_the_message_the_outcome_is_unknown_whatever_is_said(reply: Reply) -> None:
    verdict = Remedies().verdict(reply, auth_type="oauth2")

    assert verdict.failure_class is FailureClass.UNKNOWN


@given(reply=_REPLY(phase=st.sampled_from([phase for phase in Phase if phase.concerns_session])))
def test_what_the_whole_session_shares_never_refuses_a_mail(reply: Reply) -> None:
    verdict = Remedies().verdict(reply, auth_type="oauth2")

    assert state_for(verdict.failure_class) in {State.PARKED, State.DEFERRED}


_OWN_STATES = {
    "no_route": "no-route",
    "project_unreadable": "project-unreadable",
    "account_disabled": "account-disabled",
    "account_paused": "account-paused",
    "account_not_for_route": "account-not-for-route",
    "transport_not_available": "transport-not-available",
    "secret_missing": "secret-missing",
    "secret_not_for_this_relay": "secret-not-for-this-relay",
    "token_missing": "token-missing",
    "reauthorization_required": "token-missing",
}


@pytest.mark.parametrize(("text", "remedy_id"), _OWN_STATES.items())
def test_an_account_that_cannot_be_used_is_parked_with_its_own_remedy(text: str, remedy_id: str) -> None:
    verdict = Remedies().verdict(Reply(phase=Phase.SETTINGS, code=None, text=text), auth_type="none")

    assert (verdict.remedy_id, state_for(verdict.failure_class)) == (remedy_id, State.PARKED)


_MISHAPS = {
    Mishap.NAME_NOT_FOUND: ([Phase.DNS], "host-not-found", State.PARKED),
    Mishap.TEMPORARY_DNS_FAILURE: ([Phase.DNS], "dns-temporary-failure", State.DEFERRED),
    Mishap.REFUSED_BY_EGRESS: ([Phase.EGRESS], "egress-refused", State.PARKED),
    Mishap.CONNECTION_REFUSED: ([Phase.CONNECT], "connection-refused", State.DEFERRED),
    Mishap.NETWORK_UNREACHABLE: ([Phase.CONNECT], "connect-timed-out", State.DEFERRED),
    Mishap.PROXY_REFUSED: ([Phase.CONNECT], "proxy-failed", State.DEFERRED),
    Mishap.STARTTLS_NOT_ADVERTISED: ([Phase.TLS], "starttls-not-offered", State.PARKED),
    Mishap.DATA_AFTER_STARTTLS: ([Phase.TLS], "starttls-injection", State.DEFERRED),
    Mishap.CERTIFICATE_VERIFY_FAILED: ([Phase.TLS], "certificate-not-trusted", State.PARKED),
    Mishap.TLS: ([Phase.TLS], "connection-failed", State.DEFERRED),
    Mishap.BAD_EHLO_NAME: ([Phase.EHLO], "bad-ehlo-name", State.PARKED),
    Mishap.CLEAR_AUTH_REFUSED: ([Phase.AUTH], "auth-on-clear-connection", State.PARKED),
    Mishap.NO_CREDENTIAL: ([Phase.AUTH], "no-credential", State.PARKED),
    Mishap.BAD_CREDENTIAL: ([Phase.AUTH], "no-credential", State.PARKED),
    Mishap.NO_COMMON_MECHANISM: ([Phase.AUTH], "no-common-auth-mechanism", State.PARKED),
    Mishap.BAD_ADDRESS: ([Phase.COMPOSE], "bad-address", State.REFUSED),
    Mishap.TOO_LARGE: ([Phase.MAIL], "message-over-relay-limit", State.REFUSED),
    Mishap.NO_SMTPUTF8: ([Phase.RCPT], "smtputf8-not-offered", State.REFUSED),
}
_IN_ANY_PHASE = {
    Mishap.TIMED_OUT,
    Mishap.CONNECTION_CLOSED,
    Mishap.MALFORMED_REPLY,
    Mishap.REPLY_TOO_LONG,
    Mishap.UNEXPECTED_REPLY,
}


def test_every_mishap_of_a_submission_is_expected_here() -> None:
    assert set(_MISHAPS) | _IN_ANY_PHASE == set(Mishap)


@pytest.mark.parametrize("mishap", _MISHAPS, ids=lambda mishap: mishap.name.lower())
def test_a_mishap_has_its_row(mishap: Mishap) -> None:
    phases, remedy_id, state = _MISHAPS[mishap]
    for phase in phases:
        verdict = Remedies().verdict(Reply(phase=phase, code=None, text=f"{mishap}: it is so"), auth_type="password")

        assert (verdict.remedy_id, state_for(verdict.failure_class)) == (remedy_id, state)


@pytest.mark.parametrize("mishap", sorted(_IN_ANY_PHASE))
def test_a_mishap_of_the_connection_is_tried_again_in_every_phase(mishap: Mishap) -> None:
    for phase in ANSWERED_PHASES:
        verdict = Remedies().verdict(Reply(phase=phase, code=None, text=mishap.value), auth_type="password", port=465)

        assert state_for(verdict.failure_class) is State.DEFERRED


@pytest.mark.parametrize(
    ("phase", "sample", "state"),
    [
        (Phase.MAIL, "550 5.1.0 Sender denied", State.PARKED),
        (Phase.MAIL, "553 sorry", State.PARKED),
        (Phase.MAIL, "552 5.3.4 Message size exceeds fixed limit", State.REFUSED),
        (Phase.MAIL, "451 4.3.0 Temporary lookup failure", State.DEFERRED),
        (Phase.RCPT, "550 5.1.1 User unknown", State.REFUSED),
        (Phase.RCPT, "550 Unrouteable address", State.REFUSED),
        (Phase.RCPT, "550 5.7.1 Recipient policy", State.REFUSED),
        (Phase.RCPT, "550 5.7.1 Relaying denied", State.REFUSED),
        (Phase.RCPT, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", State.REFUSED),
        (Phase.RCPT, "550 5.7.1 RESOLVER.RST.NotAuthorized; not allowed to send to this recipient", State.REFUSED),
        (Phase.RCPT, "553 5.7.1 Sender address rejected: not owned by user ops", State.PARKED),
        (Phase.RCPT, "550 Sender verify failed", State.PARKED),
        (Phase.RCPT, "530 5.7.1 Authentication required", State.PARKED),
        (Phase.RCPT, "450 4.2.0 Greylisted", State.DEFERRED),
        (Phase.RCPT, "552 too many recipients", State.DEFERRED),
        (Phase.RCPT, "452 4.5.3 Error: too many recipients", State.DEFERRED),
        (Phase.DATA, "554 Transaction failed", State.REFUSED),
        (Phase.DATA, "550 5.7.1 Not permitted", State.PARKED),
        (Phase.DATA, "550 5.7.1 likely unsolicited\n5.7.1 mail", State.REFUSED),
        (Phase.DATA, "451 try later", State.DEFERRED),
        (Phase.DATA, "421 4.3.2 Service shutting down", State.DEFERRED),
        (Phase.AUTH, "535 5.7.8 Error: authentication failed", State.PARKED),
        (Phase.AUTH, "454 4.7.0 Temporary authentication failure", State.DEFERRED),
        (Phase.CONNECT, "554 No SMTP service here", State.PARKED),
        (Phase.CONNECT, "421 Too many connections", State.DEFERRED),
        (Phase.EHLO, "550 Access denied: bad HELO name", State.PARKED),
        (Phase.TLS, "454 4.7.0 TLS not available due to local problem", State.DEFERRED),
        (Phase.TLS, "502 Command not implemented", State.PARKED),
        (Phase.CONNECT, "proxy refused: 407 Proxy Authentication Required", State.PARKED),
        (Phase.CONNECT, "proxy refused: 502 Bad Gateway", State.DEFERRED),
        (Phase.TLS, "certificate verify failed: IP address mismatch, certificate is not valid for it", State.PARKED),
        (Phase.TLS, "TLS: tlsv1 alert protocol version", State.PARKED),
        (Phase.TLS, "TLS: sslv3 alert handshake failure", State.PARKED),
        (Phase.SETTINGS, "reauthorization_required", State.PARKED),
        (Phase.SETTINGS, "out_of_time", State.DEFERRED),
    ],
)
def test_what_becomes_of_a_delivery(phase: Phase, sample: str, state: State) -> None:
    verdict = Remedies().verdict(reply_from(sample, phase=phase), auth_type="password")

    assert state_for(verdict.failure_class) is state, verdict.remedy_id


@pytest.mark.parametrize(
    ("auth_type", "challenge", "failure_class"),
    [
        ("oauth2", None, FailureClass.AUTH_TRANSIENT),  # the identity provider is down
        ("oauth2", "401", FailureClass.AUTH_PERMANENT),  # the token is bad
        ("oauth2", "invalid_token", FailureClass.AUTH_PERMANENT),
        ("password", None, FailureClass.AUTH_PERMANENT),  # Postfix says so of a wrong password too
    ],
)
def test_reason_unavailable_is_an_outage_only_without_a_challenge(
    auth_type: str, challenge: str | None, failure_class: FailureClass
) -> None:
    text = "535 5.7.8 Error: authentication failed: (reason unavailable)"

    verdict = Remedies().verdict(reply_from(text, phase=Phase.AUTH, challenge=challenge), auth_type=auth_type)

    assert verdict.failure_class is failure_class


def test_a_refused_token_that_can_be_renewed_is_tried_again() -> None:
    reply = reply_from("535 5.7.3 Authentication unsuccessful", phase=Phase.AUTH)

    stale = Remedies().verdict(reply, auth_type="oauth2", token_is_fresh=False)
    fresh = Remedies().verdict(reply, auth_type="oauth2")

    assert (stale.failure_class, fresh.failure_class) == (FailureClass.AUTH_TRANSIENT, FailureClass.AUTH_PERMANENT)


@pytest.mark.parametrize(
    ("sample", "wait_seconds"),
    [
        ("451 4.7.1 Greylisted, please try again in 120 seconds", 120),
        ("451 4.7.1 Greylisted", 300),
        ("451 4.7.1 Greylisting in action, please come back in 00:04:59", 299),
    ],
)
def test_the_time_that_a_reply_names_goes_before_the_row(sample: str, wait_seconds: int) -> None:
    verdict = Remedies().verdict(reply_from(sample, phase=Phase.RCPT), auth_type="none")

    assert verdict.wait_seconds == wait_seconds


@pytest.mark.parametrize(
    ("host", "is_of_ses"),
    [
        ("email-smtp.eu-west-1.amazonaws.com", True),
        ("Email-SMTP.eu-west-1.amazonaws.com.", True),
        ("vpce-1.email-smtp.eu-west-1.vpce.amazonaws.com", True),
        ("relay.example.org", False),
        ("notamazonaws.com", False),
        (None, False),
    ],
)
def test_what_many_relays_say_alike_is_ses_s_only_where_it_is_ses(host: str | None, *, is_of_ses: bool) -> None:
    reply = reply_from("535 5.7.8 Authentication credentials invalid", phase=Phase.AUTH)

    verdict = Remedies().verdict(reply, auth_type="password", host=host)

    assert (verdict.remedy_id == "ses-credentials-invalid", "Amazon" in verdict.remedy) == (is_of_ses, is_of_ses)
    assert verdict.failure_class is FailureClass.AUTH_PERMANENT


def test_phrases_are_found_across_the_lines_of_a_reply() -> None:
    text = "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for\n5.7.139 the Mailbox."
    reply = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.139", text=text)

    verdict = Remedies().verdict(reply, auth_type="password")

    assert verdict.remedy_id == "microsoft-smtp-auth-off-for-mailbox"
