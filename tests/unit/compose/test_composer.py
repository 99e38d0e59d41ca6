"""What a mail's envelope, headers and lines are, whatever the values in it."""

from __future__ import annotations

import re
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.composer import CannotCompose, Composer
from tocsin.compose.values import one_line
from tocsin.model.address import BadAddress
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE, Notification, Recipient
from tocsin.model.notifications.incident import IncidentCreated
from tocsin.model.notifications.parts import NotificationData, Occurrence

from tests.unit.compose import mails
from tests.unit.compose.mails import (
    AT,
    MESSAGE_ID,
    SENDER,
    THREAD_ROOT,
    composed,
    minimal_mail,
    read,
    sample,
    sample_mail,
)

STATUS_PAGE_TYPES = [event_type for event_type in CATALOGUE if event_type.startswith("status_page.")]
EVENT = Notification(
    source="/test",
    id="1",
    type="incident.created",
    time=None,
    subject=None,
    data=IncidentCreated.model_validate(
        {"project": {"id": "acme"}, "recipients": [{"email": "a@b.c"}], "incident": {"id": "1", "title": "T"}}
    ),
)
ANA = Recipient(email="ana@example.org")
NASTY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300) | st.text(
    'a"\\(),;:<>@[]=?_. \r\n\x00\t\x85é漢😀\u2028\u202e', min_size=1, max_size=300
)


def test_headers_say_who_wrote_to_whom_and_that_no_person_did() -> None:
    sender = Sender(name="Acme Ops", email="ops@acme.org", reply_to="help@acme.org")

    mail = sample_mail("incident.created", sender=sender)

    assert mail.message["From"] == "Acme Ops <ops@acme.org>"
    assert mail.message["To"].addresses[0].display_name == "Ana Pérez"
    assert mail.message["Reply-To"].addresses[0].addr_spec == "help@acme.org"
    assert mail.message["Date"].datetime == AT
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["X-Auto-Response-Suppress"] == "All"
    assert mail.message["MIME-Version"] == "1.0"
    assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]


def test_mails_of_one_incident_thread_by_a_root_that_is_no_message() -> None:
    first, second = sample_mail("incident.created").message, sample_mail("incident.state_changed").message

    assert first["Message-ID"] == MESSAGE_ID
    assert first["In-Reply-To"] == first["References"] == second["References"] == THREAD_ROOT


def test_outlook_finds_the_thread_by_an_index_that_only_its_mails_have() -> None:
    indexes = [
        read(composed(EVENT, ANA, thread_root=root)).message["Thread-Index"]
        for root in (THREAD_ROOT, THREAD_ROOT, "<another@acme.org>")
    ]

    assert indexes[0] == indexes[1] != indexes[2]
    assert len(b64decode(indexes[0])) == 22


def test_a_mail_that_is_about_no_object_belongs_to_no_thread() -> None:
    class Alone(NotificationData):
        incident: Occurrence

    data = Alone.model_validate(EVENT.data.model_dump())
    message = read(composed(replace(EVENT, data=data), ANA)).message

    assert message["Message-ID"] == MESSAGE_ID
    assert not {"In-Reply-To", "References", "Thread-Index", "Thread-Topic"} & set(message.keys())
    assert data.correlation == "project/acme"


def test_composing_again_gives_the_same_octets() -> None:
    once, again = sample_mail("incident.created"), sample_mail("incident.created")

    assert once.mail_object.content == again.mail_object.content


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_subscribers_alone_get_a_way_out_in_the_headers(event_type: str) -> None:
    recipient = {"email": "ana@example.org", "unsubscribe_url": "https://status.example.org/u/1"}

    headers = minimal_mail(event_type, recipient=recipient).message

    if CATALOGUE[event_type].for_subscribers:
        assert headers["List-Unsubscribe"] == "<https://status.example.org/u/1>"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    else:
        assert "List-Unsubscribe" not in headers


@pytest.mark.parametrize(
    ("url", "header", "one_click"),
    [
        ("http://status.example.org/u/1", "<http://status.example.org/u/1>", False),
        ("javascript:alert(1)", None, False),
        ("https://status.example.org/u\r\nBcc: eve@example.org", None, False),
        ("https://status.example.org/a>,<x", "<https://status.example.org/a%3E,%3Cx>", True),
        ("https://bücher.example/ü", "<https://xn--bcher-kva.example/%C3%BC>", True),
        ("https://status.example.org/" + "x" * 2000, None, False),
    ],
    ids=["http", "script", "line break", "angle brackets", "international", "long"],
)
def test_one_click_needs_a_sound_https_link(url: str, header: str | None, *, one_click: bool) -> None:
    recipient = {"email": "ana@example.org", "unsubscribe_url": url}

    message = minimal_mail("status_page.incident_created", recipient=recipient).message

    assert message["List-Unsubscribe"] == header
    assert ("List-Unsubscribe-Post" in message) == one_click


@pytest.mark.parametrize(
    ("email", "rcpt_to", "smtputf8"),
    [
        ("ana@example.org", "ana@example.org", False),
        ('"ana maria"@example.org', '"ana maria"@example.org', False),
        ('"a\\"b@c"@example.org', '"a\\"b@c"@example.org', False),
        ("ana@bücher.example", "ana@xn--bcher-kva.example", False),
        ("Ana@EXAMPLE.org", "Ana@example.org", False),
        ("añá@example.org", "añá@example.org", True),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp", True),
        (f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.org", f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.org", False),
    ],
    ids=["plain", "quoted", "quoted quote", "idn", "case", "local part", "both", "long"],
)
def test_an_address_reaches_envelope_and_header_unharmed(email: str, rcpt_to: str, *, smtputf8: bool) -> None:
    for name in (None, "Ana Pérez", 'Pérez, "Ana" (ops)'):
        mail = minimal_mail(recipient={"email": email, "name": name})

        assert mail.mail_object.envelope.rcpt_to == rcpt_to
        assert mail.mail_object.envelope.mail_from == "ops@acme.org"
        assert mail.mail_object.envelope.smtputf8 is smtputf8
        assert rcpt_to.encode() in mail.header_octets
        assert (mail.message["To"].addresses[0].display_name or None) == name
        assert mail.mail_object.content.isascii() is not smtputf8


@pytest.mark.parametrize("email", ["", "ana", "ana@", "a b@example.org", "a@b\r\nBcc: eve@example.org", "a@b\x00c.org"])
def test_a_bad_recipient_is_named_as_such(email: str) -> None:
    with pytest.raises(BadAddress):
        mails.composed(EVENT, Recipient.model_construct(email=email))


def test_an_international_sender_makes_an_international_message() -> None:
    mail = minimal_mail(sender=Sender(name="Überwachung", email="störung@bücher.example"))

    assert mail.mail_object.envelope.smtputf8
    assert mail.mail_object.envelope.mail_from == "störung@xn--bcher-kva.example"
    assert 'From: "Überwachung" <störung@xn--bcher-kva.example>'.encode() in mail.header_octets


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"sender": Sender(email="nobody")}, "sender address"),
        ({"sender": Sender(email="ops@acme.org", reply_to="x\r\ny@acme.org")}, "reply-to address"),
        ({"message_id": "<a@b>\r\nBcc: eve@example.org"}, "Message-ID"),
        ({"thread_root": "no brackets"}, "thread root"),
    ],
)
def test_what_cannot_be_composed_is_named_without_its_value(changes: dict[str, str], part: str) -> None:
    with pytest.raises(CannotCompose, match=part) as caught:
        mails.composed(EVENT, Recipient(email="ana@example.org"), **changes)  # type: ignore[arg-type]  # a table of both

    assert not any(value in str(caught.value) for value in ("nobody", "eve", "no brackets"))


def test_a_type_without_templates_cannot_be_composed() -> None:
    unknown = Notification(source="/test", id="1", type="monitor.created", time=None, subject=None, data=EVENT.data)

    with pytest.raises(CannotCompose, match=r"monitor\.created"):
        mails.composed(unknown, Recipient(email="ana@example.org"))


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Down\r\nBcc: eve@example.org", "Down Bcc: eve@example.org"),
        ("Down\rBcc: eve@example.org", "Down Bcc: eve@example.org"),
        ("Down\u2028\x85\x0bBcc: eve@example.org", "Down Bcc: eve@example.org"),
        ("Do\x00wn\x1b[31m", "Down[31m"),
        ("{{7*7}} {% raise %} ${7*7}", "{{7*7}} {% raise %} ${7*7}"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("=?utf-8?q?not_decoded?=", "=?utf-8?q?not_decoded?="),
        ("Störung: 決済が止まった 😀", "Störung: 決済が止まった 😀"),
        ("safe \u202egpj.exe", "safe gpj.exe"),
        ("\x00\r\n", "(no title)"),
        ("$& $1 \\1 %s", "$& $1 \\1 %s"),
    ],
)
def test_a_title_is_one_line_of_the_subject_as_it_stands(title: str, subject: str) -> None:
    mail = minimal_mail(title=title)

    assert mail.message["Subject"] == f"[Incident] {subject}"
    assert "Bcc" not in mail.message
    assert subject in mail.text


@pytest.mark.parametrize("email", ["ana@example.org", "añá@example.org"])
@pytest.mark.parametrize("unit", ["x", "long words ", "é", "漢", "😀"])
def test_a_huge_title_is_cut(unit: str, email: str) -> None:
    mail = minimal_mail(title=unit * (100_000 // len(unit)), recipient={"email": email})

    assert 200 < len(mail.message["Subject"]) <= 250
    assert mail.message["Subject"].endswith("…")
    assert len(mail.mail_object.content) < 60_000


@pytest.mark.parametrize(
    "name", ['Pérez, "Ana" <x>', "Ana (ops) Pérez", "a@b.c", "=?utf-8?q?x?=", "渡辺" * 7, "\\", "O'Hara."]
)
def test_a_name_reads_as_it_was_given(name: str) -> None:
    mail = minimal_mail(
        recipient={"email": "ana@example.org", "name": name}, sender=Sender(name=name, email="o@acme.org")
    )

    for header, address in (("To", "ana@example.org"), ("From", "o@acme.org")):
        (mailbox,) = mail.message[header].addresses
        assert (mailbox.display_name, mailbox.addr_spec) == (name, address)


def test_a_name_with_line_breaks_adds_no_header() -> None:
    mail = minimal_mail(
        recipient={"email": "ana@example.org", "name": "Ana\r\nBcc: eve@example.org"},
        sender=Sender(name="Ops\nX-Evil: 1", email="ops@acme.org"),
    )

    assert mail.message["To"].addresses[0].display_name == "Ana Bcc: eve@example.org"
    assert "Bcc" not in mail.message
    assert "X-Evil" not in mail.message


@pytest.mark.parametrize("end", ["\n.\n", "\r.\r", "\r\n.\r\n", "\n.\r\n", "\r\n.\n", "\n\r.\r\n"])
def test_no_line_end_of_a_description_is_anything_but_crlf(end: str) -> None:
    mail = minimal_mail(description=f"before{end}MAIL FROM:eve")

    octets = mail.mail_object.content.replace(b"\r\n", b"")
    assert b"\r" not in octets
    assert b"\n" not in octets
    assert re.search(r"before\n+\.\nMAIL FROM:eve", mail.text)


@given(title=NASTY_TEXT, name=NASTY_TEXT, description=NASTY_TEXT, email=st.sampled_from(["a@b.org", "é@b.org"]))
def test_any_text_gives_a_sound_mail(title: str, name: str, description: str, email: str) -> None:
    mail = minimal_mail(title=title, description=description, recipient={"email": email, "name": name})

    content = mail.mail_object.content
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not set(b"".join(lines)) & set(b"\r\n\x00")
    assert content.isascii() or email == "é@b.org"
    expected = one_line(title) or "(no title)"
    assert mail.message["Subject"] == one_line(f"[Incident] {expected}", limit=250)
    assert mail.message["To"].addresses[0].addr_spec == email
    assert len(mail.message["To"].addresses) == 1
    assert set(mail.message.keys()) == set(minimal_mail().message.keys())


def test_a_composer_may_be_shared_by_threads() -> None:
    composer, recipients = Composer(), [Recipient(email=f"r{number}@example.org") for number in range(40)]

    def compose(recipient: Recipient) -> bytes:
        return composer.compose(
            EVENT, recipient, sender=SENDER, message_id=MESSAGE_ID, thread_root=THREAD_ROOT, at=AT
        ).content

    with ThreadPoolExecutor(8) as threads:
        contents = list(threads.map(compose, recipients))

    assert all(f"To: r{number}@example.org".encode() in content for number, content in enumerate(contents))


def test_options_of_the_event_stay_out_of_the_mail() -> None:
    event = sample("incident.created")
    event["data"]["options"] = {"mail_account_id": "01JD0000000000000000000000"}

    assert b"01JD0000000000000000000000" not in mails.mail_of(event).mail_object.content
