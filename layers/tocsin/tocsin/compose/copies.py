"""Copies of a mail: the Cc field that names who gets one, and the envelope that takes it there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tocsin.compose.headers import address_header
from tocsin.model.address import BadAddress, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tocsin.model.envelope import MailObject
    from tocsin.model.notification import Recipient

_NAME = "Cc"


def name_in_copy(mail: MailObject, people: Iterable[Recipient]) -> MailObject:
    """Give the same mail with a Cc field, unless there is nobody to name.

    An address that is none, or that this mail cannot show (RFC 6532), is left out: no mail is lost for another's sake.
    """
    mailboxes = [*_mailboxes(people, utf8=mail.envelope.smtputf8)]
    if not mailboxes:
        return mail
    header = f"{_NAME}: {',\r\n '.join(mailboxes)}\r\n"
    return replace(mail, content=header.encode() + mail.content)


def readdress(mail: MailObject, to: Recipient) -> MailObject:
    """Give the same mail in an envelope to somebody else.

    Raises:
        BadAddress: the address is none.
    """
    address = parse_address(to.email)
    utf8 = mail.envelope.smtputf8 or address.needs_smtputf8
    return replace(mail, envelope=replace(mail.envelope, rcpt_to=str(address), smtputf8=utf8))


def _mailboxes(people: Iterable[Recipient], *, utf8: bool) -> Iterator[str]:
    for person in people:
        try:
            address = parse_address(person.email)
        except BadAddress:
            continue
        if utf8 or not address.needs_smtputf8:
            yield address_header(_NAME, person.name, address, utf8=utf8).removeprefix(f"{_NAME}: ")
