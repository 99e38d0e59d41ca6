"""AUTH: which commands are sent, what its answers become, and where nothing may be sent at all."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest
from tocsin.adapters.egress import Egress
from tocsin.adapters.submission import Submission
from tocsin.adapters.watch import UNWATCHED, Watch
from tocsin.model.credential import Credential
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, TOKEN, account_at, mail_to, session_with, submit
from tests.relay import Relay, Say, Script

PASSWORDS = {"ana": "hunter2", "añá": "pässwörd", "long": "x" * 400}
TOKENS = {"ana": "ya29.token", "long": "t" * 4000, "a=b,c": "t"}


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def password(username: str, value: str) -> Credential:
    return Credential(version="1", username=username, password=value)


def token(username: str, value: str) -> Credential:
    return Credential(version="1", username=username, token=value)


def dialogue(relay: Relay) -> list[str]:
    """What was said behind the last EHLO, up to MAIL or the end."""
    begin = len(relay.commands) - relay.commands[::-1].index("EHLO acme.example")
    lines = relay.commands[begin:]
    return lines[: next((at for at, line in enumerate(lines) if line.startswith(("MAIL", "QUIT"))), len(lines))]


@pytest.mark.parametrize(
    ("mechanism", "credential", "lines"),
    [
        pytest.param("PLAIN", PASSWORD, [f"AUTH PLAIN {base64('\0ana\0hunter2')}"], id="PLAIN"),
        pytest.param(
            "PLAIN", password("añá", "pässwörd"), [f"AUTH PLAIN {base64('\0añá\0pässwörd')}"], id="PLAIN in UTF-8"
        ),
        pytest.param(
            "PLAIN",
            password("long", "x" * 400),
            ["AUTH PLAIN", base64("\0long\0" + "x" * 400)],
            id="PLAIN in two steps",
        ),
        pytest.param("LOGIN", PASSWORD, ["AUTH LOGIN", base64("ana"), base64("hunter2")], id="LOGIN"),
        pytest.param(
            "XOAUTH2",
            TOKEN,
            [f"AUTH XOAUTH2 {base64('user=ana\x01auth=Bearer ya29.token\x01\x01')}"],
            id="XOAUTH2",
        ),
        pytest.param(
            "XOAUTH2",
            token("long", "t" * 4000),
            ["AUTH XOAUTH2", base64("user=long\x01auth=Bearer " + "t" * 4000 + "\x01\x01")],
            id="XOAUTH2 in two steps",
        ),
    ],
)
def test_a_login_says_no_more_than_its_mechanism_needs(
    mechanism: str, credential: Credential, lines: list[str]
) -> None:
    with Relay(security="starttls", mechanisms=[mechanism], passwords=PASSWORDS, tokens=TOKENS) as relay:
        [reply] = submit(relay, credential=credential)

    assert reply.accepted
    assert dialogue(relay) == lines


@pytest.mark.parametrize("credential", [TOKEN, token("long", "t" * 4000)], ids=["one line", "two steps"])
def test_oauthbearer_names_host_and_port(credential: Credential) -> None:
    with Relay(security="tls", mechanisms=["OAUTHBEARER"], tokens=TOKENS) as relay:
        [reply] = submit(relay, credential=credential)
        expected = f"n,a={credential.username},\x01host=127.0.0.1\x01port={relay.port}\x01"

    assert reply.accepted
    assert dialogue(relay)[-1].split(" ")[-1].startswith(base64(expected)[:-4])


@pytest.mark.parametrize(("characters", "lines"), [(358, 1), (359, 2)], ids=["497 octets", "501 octets"])
def test_an_initial_response_stands_on_the_auth_line_only_below_500_octets(characters: int, lines: int) -> None:
    value = "x" * characters
    with Relay(security="tls", mechanisms=["PLAIN"], passwords={"ana": value}) as relay:
        [reply] = submit(relay, credential=password("ana", value))

    assert reply.accepted
    assert len(dialogue(relay)) == lines
    assert all(len(line) + 2 < 500 for line in dialogue(relay) if line.startswith("AUTH"))


@pytest.mark.parametrize(
    ("mechanism", "answer"), [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")], ids=["XOAUTH2", "OAUTHBEARER"]
)
@pytest.mark.parametrize("value", ["expired", "e" * 4000], ids=["one line", "two steps"])
def test_an_error_challenge_is_answered_and_kept(mechanism: str, answer: str, value: str) -> None:
    with Relay(security="tls", mechanisms=[mechanism], tokens=TOKENS) as relay:
        [reply] = submit(relay, credential=token("ana", value))

    assert (reply.phase, reply.code, reply.enhanced) == (Phase.AUTH, 535, "5.7.8")
    assert reply.challenge == {"status": "401", "schemes": "bearer", "scope": "mail"}
    assert dialogue(relay)[-1] == answer


def test_an_error_challenge_that_is_not_json_is_answered_too() -> None:
    script: Script = {"auth": [Say("334 !")], "": Say("535 5.7.8 no")}
    with Relay(security="tls", mechanisms=["XOAUTH2"], script=script) as relay:
        [reply] = submit(relay, credential=TOKEN)

    assert (reply.phase, reply.code, reply.challenge) == (Phase.AUTH, 535, None)


@pytest.mark.parametrize(
    ("mechanisms", "credential"), [(["PLAIN", "LOGIN"], password("ana", "wrong")), (["LOGIN"], password("eve", "x"))]
)
def test_one_login_is_tried_and_the_further_mails_share_its_refusal(
    mechanisms: list[str], credential: Credential
) -> None:
    relay = Relay(security="tls", mechanisms=mechanisms, passwords=PASSWORDS)
    with relay, session_with(relay, credential) as submission:
        deadline = time.monotonic() + 5
        replies = [*submission.submit([mail_to("a@example.org"), mail_to("b@example.org")], deadline=deadline)]
        replies += submission.submit([mail_to("c@example.org")], deadline=deadline)

    assert [(reply.phase, reply.code) for reply in replies] == [(Phase.AUTH, 535)] * 3
    assert sum(line.startswith("AUTH") for line in relay.commands) == 1
    assert relay.connections == 1


def test_a_session_that_was_closed_may_log_in_once_more() -> None:
    relay = Relay(security="tls", mechanisms=["PLAIN"], passwords=PASSWORDS, script={"auth": [Say("454 4.7.0 later")]})
    with relay, session_with(relay, PASSWORD) as submission:
        [failed] = submission.submit([mail_to("a@example.org")], deadline=time.monotonic() + 5)
        submission.close()
        [accepted] = submission.submit([mail_to("a@example.org")], deadline=time.monotonic() + 5)

    assert (failed.code, accepted.accepted) == (454, True)


@pytest.mark.parametrize(
    ("answer", "code"),
    [("454 4.7.0 later", 454), ("535 5.7.139 SmtpClientAuthentication is disabled", 535), ("421 4.7.0 away", 421)],
)
def test_a_refused_login_is_the_relays_reply(answer: str, code: int) -> None:
    with Relay(security="tls", mechanisms=["PLAIN"], script={"auth": Say(answer)}) as relay:
        [reply] = submit(relay, credential=PASSWORD)

    assert (reply.phase, reply.code, reply.text) == (Phase.AUTH, code, answer[4:])


def test_a_relay_that_repeats_the_secret_does_not_get_it_into_a_reply() -> None:
    echo = f"535 5.7.8 no hunter2 in {base64('\0ana\0hunter2')}, sorry"
    with Relay(security="tls", mechanisms=["PLAIN"], script={"auth": Say(echo)}) as relay:
        [reply] = submit(relay, credential=PASSWORD)

    assert reply.text == "5.7.8 no *** in ***, sorry"


@pytest.mark.parametrize(
    ("mechanisms", "credential", "text"),
    [
        (["CRAM-MD5"], PASSWORD, "no common AUTH mechanism: the relay offers CRAM-MD5"),
        ([], PASSWORD, "no common AUTH mechanism: the relay offers none"),
        (["PLAIN", "LOGIN"], TOKEN, "no common AUTH mechanism: the relay offers LOGIN PLAIN"),
    ],
)
def test_a_relay_without_a_mechanism_for_the_credential_is_not_logged_in_to(
    mechanisms: list[str], credential: Credential, text: str
) -> None:
    with Relay(security="tls", mechanisms=mechanisms, passwords=PASSWORDS) as relay:
        [reply] = submit(relay, credential=credential)

    assert (reply.phase, reply.code, reply.text) == (Phase.AUTH, None, text)
    assert relay.commands == ["EHLO acme.example", "QUIT"]


def test_mechanisms_offered_before_tls_are_forgotten() -> None:
    script = {"ehlo": [Say("250-relay\n250-AUTH LOGIN\n250 STARTTLS")]}
    with Relay(security="starttls", mechanisms=["PLAIN"], passwords=PASSWORDS, script=script) as relay:
        [reply] = submit(relay, credential=PASSWORD)

    assert reply.accepted
    assert dialogue(relay)[0].startswith("AUTH PLAIN")


def test_a_missing_credential_connects_to_nobody() -> None:
    with Relay(security="tls", mechanisms=["PLAIN"]) as relay:
        account = account_at(relay, auth="password")
        submission = Submission(account, None, egress=Egress(f"{relay.host}:{relay.port}"))
        [reply] = submission.submit([mail_to("a@example.org")], deadline=time.monotonic() + 5)

    assert (reply.phase, reply.text) == (Phase.AUTH, "no credential for AUTH")
    assert relay.connections == 0


def test_a_clear_connection_carries_auth_where_host_and_port_are_listed() -> None:
    with Relay(mechanisms=["PLAIN"], passwords=PASSWORDS) as relay:
        [reply] = submit(relay, credential=PASSWORD)

    assert reply.accepted


class PublicEgress(Egress):
    """Takes loopback for a public address, and lists nothing."""

    def addresses(self, host: str, port: int, *, until: float, watch: Watch = UNWATCHED) -> list[str]:  # noqa: ARG002  (those of the guard)
        """Let everything pass."""
        return [host]


@pytest.mark.parametrize("credential", [PASSWORD, TOKEN], ids=["password", "token"])
@pytest.mark.parametrize("relay_security", ["none", "starttls"])
@pytest.mark.parametrize("security", ["none", "starttls"])
def test_no_octet_of_auth_is_sent_in_clear_where_it_may_not_be(
    credential: Credential, relay_security: str, security: str
) -> None:
    mechanisms = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"]
    relay = Relay(
        security="none" if relay_security == "none" else "starttls",
        mechanisms=mechanisms,
        passwords=PASSWORDS,
        tokens=TOKENS,
        script={"ehlo": [Say("250-relay\n250-AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\n250 8BITMIME")]},
    )
    with relay:
        account = account_at(relay, auth="password" if credential is PASSWORD else "oauth2", security=security)
        with Submission(account, credential, egress=PublicEgress()) as submission:
            [reply] = submission.submit([mail_to("a@example.org")], deadline=time.monotonic() + 5)

    assert not reply.accepted
    assert reply.text.startswith(
        "AUTH refused on a clear connection" if security == "none" else "STARTTLS not advertised"
    )
    for secret in ("AUTH", "hunter2", "ya29", base64("\0ana\0hunter2")):
        assert secret.encode() not in relay.clear_octets
