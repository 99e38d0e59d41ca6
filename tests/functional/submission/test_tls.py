"""TLS: required, verified, and never given up for clear text."""

from __future__ import annotations

import ssl
from typing import Literal

import pytest
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, submit
from tests.relay import Authority, Certificate, Close, Relay, Say, authority

type Secure = Literal["starttls", "tls"]
in_both_ways = pytest.mark.parametrize("security", ["starttls", "tls"])


@in_both_ways
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost."])
def test_a_mail_arrives_over_tls_with_a_private_ca(security: Secure, host: str) -> None:
    with Relay(security=security) as relay:
        [reply] = submit(relay, host=host)

    assert reply.accepted
    assert b"MAIL" not in relay.clear_octets


def test_the_relay_is_greeted_again_after_starttls() -> None:
    with Relay(security="starttls") as relay:
        submit(relay)

    assert relay.commands[:3] == ["EHLO acme.example", "STARTTLS", "EHLO acme.example"]
    assert relay.clear_octets == b"EHLO acme.example\r\nSTARTTLS\r\n"


@in_both_ways
@pytest.mark.parametrize(
    ("certificate", "trusted", "reason"),
    [
        pytest.param(None, Authority("Somebody else").pem, "unable to get local issuer certificate", id="another CA"),
        pytest.param(None, None, "unable to get local issuer certificate", id="the public roots"),
        pytest.param(authority().issue("10.0.0.1"), authority().pem, "IP address mismatch", id="another host"),
        pytest.param(
            authority().issue("127.0.0.1", expired=True), authority().pem, "certificate has expired", id="expired"
        ),
    ],
)
def test_a_certificate_that_does_not_hold_ends_the_session(
    security: Secure, certificate: Certificate | None, trusted: str | None, reason: str
) -> None:
    with Relay(security=security, certificate=certificate) as relay:
        [reply] = submit(relay, ca_certificate=trusted, credential=PASSWORD)

    assert (reply.phase, reply.code) == (Phase.TLS, None)
    assert reply.text.startswith(f"certificate verify failed: {reason}")
    assert b"AUTH" not in relay.clear_octets


@in_both_ways
def test_an_older_version_than_the_account_demands_is_refused(security: Secure) -> None:
    with Relay(security=security, max_tls_version=ssl.TLSVersion.TLSv1_2) as relay:
        [new] = submit(relay, min_tls_version="1.3")
        [old] = submit(relay, min_tls_version="1.2")

    assert (new.phase, new.code) == (Phase.TLS, None)
    assert new.text.startswith("TLS: ")
    assert "protocol version" in new.text
    assert old.accepted


def test_a_relay_that_speaks_in_clear_where_tls_is_set_is_told_from_a_lost_connection() -> None:
    with Relay() as relay:
        [reply] = submit(relay, security="tls")

    assert (reply.phase, reply.text) == (Phase.TLS, "TLS: wrong version number")


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_ca_certificate_that_cannot_be_read_trusts_nobody(pem: str) -> None:
    with Relay(security="tls") as relay:
        [reply] = submit(relay, ca_certificate=pem)

    assert (reply.phase, reply.text) == (Phase.TLS, "TLS: the CA certificate of the mail account cannot be read")


def test_words_between_certificates_may_be_in_any_language() -> None:
    with Relay(security="tls") as relay:
        [reply] = submit(relay, ca_certificate=f"Größte CA\n{relay.ca_certificate}")

    assert reply.accepted


def test_there_is_no_clear_text_where_starttls_is_not_advertised() -> None:
    with Relay(mechanisms=["PLAIN"], passwords={"ana": "hunter2"}) as relay:
        [reply] = submit(relay, security="starttls", credential=PASSWORD)

    assert (reply.phase, reply.code, reply.text) == (Phase.TLS, None, "STARTTLS not advertised")
    assert relay.commands == ["EHLO acme.example", "QUIT"]


def test_a_refused_starttls_is_the_relays_reply() -> None:
    with Relay(security="starttls", script={"starttls": Say("454 4.7.0 not now")}) as relay:
        [reply] = submit(relay)

    assert (reply.phase, reply.code, reply.text) == (Phase.TLS, 454, "4.7.0 not now")
    assert relay.mails == []


@pytest.mark.parametrize(
    "injected",
    ["250 injected", "250-relay\n250 AUTH PLAIN", "x" * 5000],
    ids=["a reply", "an EHLO reply", "no reply at all"],
)
def test_nothing_said_before_the_handshake_survives_it(injected: str) -> None:
    with Relay(security="starttls", script={"starttls": Say(f"220 go\n{injected}")}) as relay:
        [reply] = submit(relay)

    assert (reply.phase, reply.code, reply.text) == (Phase.TLS, None, "data after the STARTTLS reply")
    assert relay.mails == []


@in_both_ways
def test_a_relay_that_closes_before_the_handshake_has_closed_the_connection(security: Secure) -> None:
    with Relay(security=security, script={"tls": Close()}) as relay:
        [reply] = submit(relay)

    assert (reply.phase, reply.code, reply.text) == (Phase.TLS, None, "connection closed")
