"""E-mail addresses: the form that is compared, and the form that is sent."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

import idna

from tocsin.errors import PermanentError

_DOT_ATOM = re.compile(r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+(?:\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]+)*")
_QUOTED = re.compile(r'"(?:[^\x00-\x1f"\\\x7f]|\\[\x20-\x7e])*"')
_HOST_LABELS = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # ASCII ones are in neither of the above
_LOCAL_PART_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
_PATH_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets

KEY_OCTETS = 1000
"""How long the key of a recipient may be, of the 1,024 that a table takes."""


class BadAddress(PermanentError):
    """The text is no address that SMTP can carry; the message says why, without the address."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as SMTP carries it.

    `local_part` is as given (NFC), `domain` a lower-case A-label. Source: RFC 5321 section 4.1.2, RFC 6531 section 3.3.
    """

    local_part: str
    domain: str

    @property
    def canonical(self) -> str:
        """The form that recipients are compared by: local part in lower case."""
        return f"{self.local_part.lower()}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the relay must offer SMTPUTF8 for it."""
        return not self.local_part.isascii()

    def __str__(self) -> str:
        """Give the form that MAIL and RCPT carry."""
        return f"{self.local_part}@{self.domain}"


def parse_address(text: str) -> Address:
    """Read a bare address (`local@domain`), quoted local parts and IDN domains included.

    Raises:
        BadAddress: it has no local part or domain, a forbidden character, or a part that is too long.
    """
    local_part, at, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    if not at:
        raise BadAddress("there is no @")
    if not (_DOT_ATOM.fullmatch(local_part) or _QUOTED.fullmatch(local_part)):
        raise BadAddress("the local part is neither a dot-atom nor a quoted string")
    if "=?" in local_part:
        raise BadAddress("the local part looks like an encoded word, and some programs would decode it")
    if not local_part.isascii() and any(unicodedata.category(character) in _CONTROLS for character in local_part):
        raise BadAddress("the local part holds a control character")
    if len(local_part.encode()) > _LOCAL_PART_OCTETS:
        raise BadAddress(f"the local part is longer than {_LOCAL_PART_OCTETS} octets")
    address = Address(local_part, _a_label(domain))
    if len(str(address).encode()) > _PATH_OCTETS:
        raise BadAddress(f"the address is longer than {_PATH_OCTETS} octets")
    return address


def canonical_recipient(text: str) -> str:
    """The key that one recipient of a notification is known by, also where `text` is no valid address.

    What could not be a key (empty, over 1,000 octets, or like one of the journal's own) is known by a digest.
    """
    try:
        return parse_address(text).canonical
    except BadAddress:
        key = unicodedata.normalize("NFC", text.strip()).lower()
    octets = key.encode(errors="replace")
    if not octets or len(octets) > KEY_OCTETS or key.startswith("#"):
        return f"invalid:{hashlib.sha256(octets).hexdigest()[:32]}"
    return key


def _a_label(domain: str) -> str:
    if domain.isascii():
        name = domain.lower()
    else:
        try:
            name = idna.encode(domain, uts46=True).decode("ascii").lower()
        except idna.IDNAError as error:
            raise BadAddress("the domain is no valid internationalised name") from error
    if not _HOST_LABELS.fullmatch(name):
        raise BadAddress("the domain is no host name")
    return name
