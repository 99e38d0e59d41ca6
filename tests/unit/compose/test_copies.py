"""Copies of a mail: who is named in Cc, and where the envelope goes."""

from __future__ import annotations

from contextlib import nullcontext
from email import message_from_bytes, message_from_string
from email.policy import SMTPUTF8

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.copies import name_in_copy, readdress
from tocsin.errors import InvalidNotification
from tocsin.model.address import BadAddress
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE, Recipient

from tests.unit.compose.mails import composed, sample, sample_mail

MAIL = sample_mail("incident.created").mail_object
STRICT = SMTPUTF8.clone(raise_on_defect=True)
NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=150) | st.text('a"\\(),;<>@=?\r\n\x00é')


def _named(*people: Recipient) -> list[tuple[str, str]]:
    header = message_from_bytes(name_in_copy(MAIL, people).content, policy=STRICT)["Cc"]
    return [] if header is None else [(one.display_name, one.addr_spec) for one in header.addresses]


def test_people_are_named_in_order_and_nothing_else_changes() -> None:
    people = [Recipient(email="cleo@example.org", name="Cléo"), Recipient(email="dan@bücher.example")]

    mail = name_in_copy(MAIL, people)

    assert _named(*people) == [("Cléo", "cleo@example.org"), ("", "dan@xn--bcher-kva.example")]
    assert mail.content.endswith(MAIL.content)
    assert mail.envelope == MAIL.envelope


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "jörg@example.org", "a@b.c\r\nBcc: eve@example.org"])
def test_an_address_that_the_field_cannot_show_is_left_out(address: str) -> None:
    cleo = Recipient(email="cleo@example.org")

    assert _named(Recipient(email=address), cleo) == [("", "cleo@example.org")]
    assert name_in_copy(MAIL, [Recipient(email=address)]) == MAIL


def test_a_mail_that_is_internationalised_names_everybody() -> None:
    mail = composed(check_event(sample("incident.created")), Recipient(email="añá@example.org"))

    named = name_in_copy(mail, [Recipient(email="jörg@example.org", name="Jörg")])

    header = message_from_string(named.content.decode(), policy=STRICT)["Cc"]
    assert header.addresses[0].addr_spec == "jörg@example.org"


@given(names=st.lists(NAMES, min_size=1, max_size=20))
def test_whatever_they_are_called_it_is_one_field_of_short_lines(names: list[str | None]) -> None:
    people = [Recipient(email=f"p{number}@example.org", name=name) for number, name in enumerate(names)]

    mail = name_in_copy(MAIL, people)

    added = mail.content.removesuffix(MAIL.content)
    assert [spec for _, spec in _named(*people)] == [person.email for person in people]
    assert all(line.startswith((b"Cc: ", b" ")) for line in added.removesuffix(b"\r\n").split(b"\r\n"))


def test_a_copy_goes_to_somebody_else_and_says_so_in_its_envelope_only() -> None:
    copy = readdress(MAIL, Recipient(email="Dan@Bücher.example"))

    assert (copy.envelope.rcpt_to, copy.envelope.smtputf8) == ("Dan@xn--bcher-kva.example", False)
    assert copy.content == MAIL.content
    assert readdress(MAIL, Recipient(email="jörg@example.org")).envelope.smtputf8


def test_a_copy_to_no_address_is_none() -> None:
    with pytest.raises(BadAddress):
        readdress(MAIL, Recipient(email="nobody"))


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_types_whose_mails_hold_a_persons_own_links_have_no_copies(event_type: str) -> None:
    event = sample(event_type)
    event["data"].setdefault("options", {})["bcc"] = [{"email": "dan@example.org"}]
    personal = CATALOGUE[event_type].for_subscribers or event_type.startswith(("account.", "status_page.private_user_"))

    with pytest.raises(InvalidNotification, match="copies_not_allowed") if personal else nullcontext():
        check_event(event)
