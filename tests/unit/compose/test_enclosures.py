"""Files around a mail's text: each comes out as it went in, and the text stays what it was without them."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.composer import CannotCompose
from tocsin.compose.enclosures import enclose, encode
from tocsin.model.attachment import AttachedFile
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.file_name import clean_file_name

from tests.unit.compose.mails import sample_mail

STRICT = SMTP.clone(raise_on_defect=True)
PNG = b"\x89PNG\r\n\x1a\n\x00.\r\n"
LOG = AttachedFile(name="log.txt", content_type="text/plain; charset=utf-8", content="früh\n".encode())
CHART = AttachedFile(name="chart.png", content_type="image/png", content=PNG, content_id="chart@acme")
MAIL = sample_mail("incident.created").mail_object
NAMES = st.text(min_size=1, max_size=255) | st.text(
    "ab.é漢😀\u0301 %'\"=?*;,()<>@[]{}_-\t\r\n\x00\u202e", min_size=1, max_size=255
)
FILES = st.builds(
    AttachedFile,
    name=(NAMES | st.sampled_from(["=?utf-8?q?a?=", "a'b%20c.txt", "x" * 200, "漢" * 200])).map(clean_file_name),
    content_type=st.sampled_from(["application/octet-stream", "text/plain", "text/csv; charset=utf-8", "image/png"]),
    content=st.binary(max_size=300)
    | st.sampled_from([b".\r\n", b"--=_", b"\r\n.\r\nQUIT\r\n", bytes(range(256)) * 20]),
    content_id=st.none() | st.sampled_from(["chart", "chart@acme.example"]),
)


def _read(mail: MailObject) -> EmailMessage:
    message = message_from_bytes(mail.content + mail.enclosed, policy=STRICT)
    assert isinstance(message, EmailMessage)
    return message


def _shape(message: MIMEPart) -> object:
    kind = message.get_content_type()
    return {kind: [_shape(part) for part in message.iter_parts()]} if message.is_multipart() else kind


def _with(*files: AttachedFile) -> MailObject:
    return enclose(MAIL, encode(files, identity="1"))


TEXTS = {"multipart/alternative": ["text/plain", "text/html"]}


@pytest.mark.parametrize(
    ("files", "shape"),
    [
        ([LOG], {"multipart/mixed": [TEXTS, "text/plain"]}),
        ([CHART], {"multipart/related": [TEXTS, "image/png"]}),
        ([LOG, CHART, LOG], {"multipart/mixed": [{"multipart/related": [TEXTS, "image/png"]}, *["text/plain"] * 2]}),
    ],
    ids=["a-file", "a-picture", "both"],
)
def test_pictures_stand_beside_the_text_and_files_behind_it(files: list[AttachedFile], shape: object) -> None:
    message = _read(_with(*files))

    assert _shape(message) == shape
    assert message.get_body(("plain",)).get_content() == _read(MAIL).get_body(("plain",)).get_content()  # type: ignore[union-attr]  # the shape says that there is one


def test_a_file_says_what_it_is_and_a_picture_what_it_is_known_by() -> None:
    _, log = _read(_with(LOG)).iter_parts()
    _, chart = _read(_with(CHART)).iter_parts()

    assert (log.get_content_disposition(), log.get_filename(), log["Content-ID"]) == ("attachment", "log.txt", None)
    assert log.get_content() == "früh\n"
    assert (chart.get_content_disposition(), chart.get_filename()) == ("inline", "chart.png")
    assert chart["Content-ID"] == "<chart@acme>"
    assert chart.get_content() == PNG


@given(files=st.lists(FILES, min_size=1, max_size=4))
def test_every_file_comes_out_octet_for_octet_and_by_its_name(files: list[AttachedFile]) -> None:
    message = _read(_with(*files))

    found = [part for part in message.walk() if part.get_content_disposition() is not None]

    in_order = [file for file in files if file.content_id] + [file for file in files if not file.content_id]
    assert [part.get_payload(decode=True) for part in found] == [file.content for file in in_order]
    assert [part.get_filename() for part in found] == [file.name for file in in_order]
    assert all(str(part.get_param("name")).isascii() for part in found)


@given(files=st.lists(FILES, min_size=1, max_size=3))
def test_what_is_enclosed_goes_over_the_wire_as_it_is(files: list[AttachedFile]) -> None:
    mail = _with(*files)

    lines = mail.enclosed.split(b"\r\n")
    assert lines[-1] == b""
    assert not [line for line in lines if line.startswith(b".") or len(line) > 200 or b"\r" in line or b"\n" in line]
    assert mail.enclosed.isascii()
    assert all(len(line) <= 78 for line in lines if not line.startswith(b"Content-Type"))


def test_a_name_that_is_not_ascii_is_said_in_ascii_too() -> None:
    _, part = _read(_with(replace(LOG, name="Störung 漢.txt"))).iter_parts()

    assert part.get_filename() == "Störung 漢.txt"
    assert part.get_param("name") == "Storung.txt"


def test_what_all_recipients_share_is_encoded_once_and_never_copied() -> None:
    enclosures = encode([LOG, CHART], identity="1")

    mails = [enclose(sample_mail("incident.created", recipient=number).mail_object, enclosures) for number in (0, 1)]

    assert mails[0].enclosed is mails[1].enclosed is enclosures.closing
    assert mails[0].content != mails[1].content


def test_the_texts_octets_are_those_of_a_mail_without_files() -> None:
    text = MAIL.content[MAIL.content.index(b"Content-Type: multipart/alternative") :]
    mail = _with(LOG, CHART)

    assert mail.content.endswith(text)
    assert mail.envelope == MAIL.envelope
    headers = MAIL.content.removesuffix(text)
    assert mail.content.startswith(headers)


def test_no_boundary_begins_as_another_does() -> None:
    mail = _with(LOG, CHART)

    boundaries = sorted(re.findall(rb'boundary="([^"]+)"', mail.content))

    assert len(boundaries) == 3
    assert not [one for one, other in pairwise(boundaries) if other.startswith(one)]


def test_a_mail_of_another_form_is_not_touched() -> None:
    mail = MailObject(envelope=Envelope(mail_from="a@b.c", rcpt_to="d@e.f"), content=b"Subject: x\r\n\r\nText\r\n")

    with pytest.raises(CannotCompose):
        enclose(mail, encode([LOG], identity="1"))
