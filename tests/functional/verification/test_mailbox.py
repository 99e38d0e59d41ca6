"""Verification at a mailbox: the IMAP login, which is the last step and one step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tocsin.model.credential import Credential
from tocsin.model.mail_account import Mailbox, Security

from tests.functional.submission.kit import TOKEN, mail_to
from tests.functional.verification.kit import LOGIN, account_with, guard, outcomes, sent, step, verified
from tests.imap_server import ImapServer
from tests.relay import Close, Flood, Hang, Relay, Say, Trickle

if TYPE_CHECKING:
    from tests.relay import Action

PASSWORDS = {"ana": "hunter2"}


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_a_mailbox_is_logged_in_to_and_out_of(security: str) -> None:
    with Relay(**LOGIN) as relay, ImapServer(security=Security(security).value, passwords=PASSWORDS) as imap:
        report = verified(account_with(relay, imap))

    assert report.passed
    assert step(report, "mailbox").outcome == "passed"
    assert imap.logins == ["ana"]
    assert imap.commands[-1].endswith("LOGOUT")


def test_the_step_tells_of_tls_capabilities_and_mechanism() -> None:
    with Relay(**LOGIN) as relay, ImapServer(passwords=PASSWORDS) as imap:
        details = step(verified(account_with(relay, imap)), "mailbox").details

    assert details["version"] in {"TLSv1.2", "TLSv1.3"}
    assert details["mechanism"] == "PLAIN"
    assert "IMAP4REV1" in details["capabilities"]
    assert details["addresses"] == ["127.0.0.1"]


def test_a_token_logs_in_by_xoauth2() -> None:
    with (
        Relay(security="starttls", mechanisms=("XOAUTH2",), tokens={"ana": "ya29.token"}) as relay,
        ImapServer(tokens={"ana": "ya29.token"}) as imap,
    ):
        report = verified(account_with(relay, imap, auth="oauth2"), credential=TOKEN)

    assert report.passed
    assert imap.logins == ["ana"]


def test_a_server_without_mechanisms_gets_the_login_command() -> None:
    with Relay(**LOGIN) as relay, ImapServer(mechanisms=(), passwords=PASSWORDS) as imap:
        report = verified(account_with(relay, imap))

    assert report.passed
    assert step(report, "mailbox").details["mechanism"] == "LOGIN command"


@pytest.mark.parametrize("username", ["EXAMPLE\\ana", "ana banana", 'a"b', "ana{3}", "ana)"])
def test_a_user_name_reaches_the_login_command_as_one_word(username: str) -> None:
    credential = Credential(version="1", username=username, password="hunter2")
    passwords = {username: "hunter2"}
    with Relay(**LOGIN | {"passwords": passwords}) as relay, ImapServer(mechanisms=(), passwords=passwords) as imap:
        report = verified(account_with(relay, imap), credential=credential)

    assert report.passed
    assert imap.logins == [username]


@pytest.mark.parametrize("password", ["a\r\nb LOGOUT", "pässword", "nul\0"])
def test_a_password_that_login_cannot_carry_never_reaches_the_wire(password: str) -> None:
    credential = Credential(version="1", username="ana", password=password)
    relay_login = LOGIN | {"passwords": {"ana": password}, "mechanisms": ()}
    with Relay(**relay_login) as relay, ImapServer(mechanisms=()) as imap:
        account = account_with(relay, imap, auth="none")
        report = verified(account, credential=credential)

    assert report.failed_step == "mailbox"
    assert not [line for line in imap.commands if "LOGIN" in line]


@pytest.mark.parametrize(
    ("script", "remedy_id", "text"),
    [
        ({}, "imap-login-refused", "NO [AUTHENTICATIONFAILED] Invalid credentials"),
        (
            {"AUTHENTICATE": Say("{tag} NO [ALERT] IMAP access is disabled for your domain")},
            "imap-switched-off",
            "NO [ALERT] IMAP access is disabled for your domain",
        ),
        ({"AUTHENTICATE": Say("{tag} NO [UNAVAILABLE] later")}, "imap-busy", "NO [UNAVAILABLE] later"),
        ({"GREETING": Say("* BYE too many connections")}, "imap-busy", "BYE too many connections"),
        ({"GREETING": Say("220 smtp.example.org ESMTP")}, None, "malformed reply: it is not IMAP"),
        ({"GREETING": Close()}, None, "connection closed"),
        ({"AUTHENTICATE": Close()}, None, "connection closed"),
        ({"AUTHENTICATE": Say("+ !!!", then_close=True)}, None, None),
        ({"CAPABILITY": Flood(octets=400_000)}, None, "malformed reply: it is not IMAP"),
        ({"CAPABILITY": Flood(octets=400_000, one_line=True)}, None, "reply too long"),
        ({"CAPABILITY": Say("* CAPABILITY {99999999999}")}, None, "reply too long"),
    ],
    ids=[
        "refused", "disabled", "unavailable", "bye", "smtp", "closed", "closed-in-auth", "no-base64", "flood",
        "one-line", "literal",
    ],
)  # fmt: skip
def test_what_the_server_refuses_is_named_with_its_words_and_a_remedy(
    script: dict[str, Action], remedy_id: str | None, text: str | None
) -> None:
    with Relay(**LOGIN) as relay, ImapServer(script=script) as imap:
        report = verified(account_with(relay, imap), seconds=5)

    found = step(report, "mailbox")
    assert (report.failed_step, found.outcome) == ("mailbox", "failed")
    assert remedy_id in {None, found.remedy_id}
    assert found.remedy
    assert found.reply is not None
    assert text in {None, found.reply.text}


@pytest.mark.parametrize(
    "answer",
    [Close(), Say("* BYE {" + "9" * 5000 + "}"), Say("{tag} BAD what?"), Say("nonsense")],
    ids=["closed", "more-digits-than-python-reads", "refused", "no-imap"],
)
def test_how_a_server_takes_leave_says_nothing_of_the_login(answer: Action) -> None:
    with Relay(**LOGIN) as relay, ImapServer(passwords=PASSWORDS, script={"LOGOUT": answer}) as imap:
        report = verified(account_with(relay, imap))

    assert step(report, "mailbox").outcome == "passed"


def test_a_server_that_repeats_what_we_sent_gives_nothing_away() -> None:
    script = {"AUTHENTICATE": Say("{tag} NO hunter2 AGFuYQBodW50ZXIy is wrong")}
    with Relay(**LOGIN) as relay, ImapServer(script=script) as imap:
        report = verified(account_with(relay, imap))

    assert "NO *** *** is wrong" in report.model_dump_json()
    assert "hunter2" not in report.model_dump_json()


@pytest.mark.parametrize("password", ["hunter2", 'se"cret\\pw', '"quoted"', "back\\slash\\", "hunter2!"], ids=str)
def test_a_server_that_repeats_a_login_command_gives_nothing_away(password: str) -> None:
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    script = {"LOGIN": Say(f'{{tag}} NO LOGIN ana "{quoted}", that is {password}')}
    credential = Credential(version="1", username="ana", password=password)
    with Relay(**LOGIN | {"passwords": {"ana": password}}) as relay, ImapServer(mechanisms=(), script=script) as imap:
        report = verified(account_with(relay, imap), credential=credential)

    reply = step(report, "mailbox").reply
    assert reply is not None
    assert reply.text == 'NO LOGIN ana "***", that is ***'


def test_starttls_that_is_not_offered_or_is_mixed_with_clear_text_fails_before_the_password() -> None:
    scripts: list[dict[str, Action]] = [
        {"CAPABILITY": Say("* CAPABILITY IMAP4rev1\n{tag} OK")},
        {"STARTTLS": Say("{tag} OK begin\n* OK injected")},
        {"STARTTLS": Say("{tag} NO not now", then_close=True)},
    ]
    for script in scripts:
        with Relay(**LOGIN) as relay, ImapServer(security="starttls", script=script) as imap:
            report = verified(account_with(relay, imap))

        assert report.failed_step == "mailbox"
        assert not [line for line in imap.commands if "AUTHENTICATE" in line or "LOGIN" in line]


@pytest.mark.parametrize(
    "answer",
    ["* CAPABILITY IMAP4rev1 AUTH=LOGIN\n{tag} OK begin", "{tag} OK [CAPABILITY IMAP4rev1 AUTH=LOGIN] begin"],
    ids=["before", "within"],
)
def test_what_was_offered_in_clear_text_is_forgotten(answer: str) -> None:
    script = {"STARTTLS": Say(answer)}
    with Relay(**LOGIN) as relay, ImapServer(security="starttls", script=script, passwords=PASSWORDS) as imap:
        report = verified(account_with(relay, imap))

    assert report.passed
    assert step(report, "mailbox").details["mechanism"] == "PLAIN"


def test_a_clear_mailbox_that_the_operator_did_not_list_gets_no_password() -> None:
    with Relay(**LOGIN) as relay, ImapServer(security="none") as imap:
        account = account_with(relay, imap)
        only_relay = type(guard(account))(f"{relay.host}:{relay.port}")
        report = verified(account, egress=only_relay)

    assert report.failed_step == "mailbox"
    assert imap.connections == 0


@pytest.mark.parametrize("script", [{"GREETING": Hang()}, {"AUTHENTICATE": Trickle("+ " + "x" * 90, seconds=0.2)}])
def test_a_mailbox_that_takes_too_long_is_cut_by_the_same_deadline(script: dict[str, Action]) -> None:
    begun = time.monotonic()
    with Relay(**LOGIN) as relay, ImapServer(script=script) as imap:
        report = verified(account_with(relay, imap), seconds=1.5)
        took = time.monotonic() - begun

    assert outcomes(report)["mailbox"] == "deadline"
    assert outcomes(report)["rcpt"] == "passed"
    assert took < 5


def test_after_a_refused_login_at_the_relay_the_mailbox_is_left_alone() -> None:
    with Relay(**LOGIN | {"passwords": {}}) as relay, ImapServer(passwords=PASSWORDS) as imap:
        report = verified(account_with(relay, imap))

    assert outcomes(report)["mailbox"] == "skipped"
    assert imap.connections == 0


def test_a_test_message_does_not_look_at_the_mailbox() -> None:
    with Relay(**LOGIN) as relay, ImapServer() as imap:
        report = sent(account_with(relay, imap), mail_to("bob@example.org"))

    assert report.passed
    assert imap.connections == 0


def test_a_mailbox_elsewhere_is_refused_like_a_relay_elsewhere() -> None:
    with Relay(**LOGIN) as relay:
        box = Mailbox(host="169.254.169.254", port=993, security=Security.TLS)
        report = verified(account_with(relay).model_copy(update={"mailbox": box}))

    found = step(report, "mailbox")
    assert found.reply is not None
    assert found.reply.phase == "egress"
    assert found.details["addresses"] == []
