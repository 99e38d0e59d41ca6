"""Signed tokens: what a link of ours says by itself, so that nothing need be stored for it and nobody can forge it."""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from tocsin.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

EXPIRY = "exp"
"""The claim that every token has: when it ends, in seconds since 1970."""

_TEXT = re.compile(r"[A-Za-z0-9_-]{28,8000}", re.ASCII)  # API Gateway takes 10,240 octets of path and headers
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ID_OCTETS = 4
_SEAL_OCTETS = 16  # RFC 2104 section 5: half of the digest, and no less than 80 bits

type Claims = dict[str, str | int]


class BadToken(PermanentError):
    """The token is none of ours, was changed, is for another purpose, or is signed with a key that is gone."""


class ExpiredToken(BadToken):
    """The token was ours, and its time is over."""


@dataclass(frozen=True, slots=True)
class LinkKey:
    """A key that links are signed with: at least 32 octets that nobody can guess."""

    octets: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        """What tokens name the key by; it tells nothing of the key."""
        return sha256(b"link-key\0" + self.octets).digest()[:_ID_OCTETS]


def sign(claims: Mapping[str, str | int], *, purpose: str, key: LinkKey) -> str:
    """The token of `claims`, of which `EXPIRY` is one: URL-safe, and never ending in a sign that mail readers cut off.

    It is signed and not secret. `purpose` keeps it from passing for a token of another kind.
    """
    if not isinstance(claims.get(EXPIRY), int):
        raise TypeError("a token without an expiry would hold for ever")
    said = _JSON.encode(dict(claims)).encode()
    return _text(key.id + _seal(said, purpose, key) + said)


def key_id(token: str) -> bytes:
    """The id of the key that the token says it is signed with.

    Raises:
        BadToken: it is no token at all.
    """
    return _octets(token)[:_ID_OCTETS]


def read(token: str, *, purpose: str, keys: Iterable[LinkKey], now: datetime) -> Claims:
    """What a token says that one of `keys` signed for this purpose.

    Raises:
        ExpiredToken: it was so once.
        BadToken: it is anything else.
    """
    octets = _octets(token)
    named, seal, said = octets[:_ID_OCTETS], octets[_ID_OCTETS:][:_SEAL_OCTETS], octets[_ID_OCTETS + _SEAL_OCTETS :]
    key = next((key for key in keys if key.id == named), None)
    if key is None or not hmac.compare_digest(seal, _seal(said, purpose, key)):
        raise BadToken("the token is not signed by us for this purpose")
    claims: Claims = json.loads(said)  # our own JSON, as its seal says
    if int(claims[EXPIRY]) <= now.timestamp():
        raise ExpiredToken("the token's time is over")
    return claims


def _seal(said: bytes, purpose: str, key: LinkKey) -> bytes:
    return hmac.digest(key.octets, purpose.encode() + b"\0" + said, "sha256")[:_SEAL_OCTETS]


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(token: str) -> bytes:
    """The octets of the one text that stands for them: base64 has several, and decoders that skip what is none."""
    if not _TEXT.fullmatch(token) or len(token) % 4 == 1:
        raise BadToken("this is no token")
    octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    if _text(octets) != token:
        raise BadToken("this is no token")
    return octets
