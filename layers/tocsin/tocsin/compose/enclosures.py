"""Files around a mail's text: multipart/mixed and multipart/related, each file encoded once (RFC 2045, RFC 2387)."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from typing import TYPE_CHECKING

from tocsin.compose.file_names import file_name_parameter, plain_parameter
from tocsin.compose.letter import CannotCompose
from tocsin.model.attachment import Enclosures
from tocsin.model.envelope import MailObject
from tocsin.model.file_name import ascii_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tocsin.model.attachment import AttachedFile

_LINE = 76  # RFC 2045 section 6.8
_TEXT = b"\r\nContent-Type: multipart/alternative;"


def encode(files: Sequence[AttachedFile], *, identity: str) -> Enclosures:
    """Put files around a text that is yet to come: pictures beside it, all others behind it.

    `identity` makes boundaries that no other notification's mails have, should one be attached to another.
    """
    pictures = [file for file in files if file.content_id is not None]
    others = [file for file in files if file.content_id is None]
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:32]
    openings: list[bytes] = []
    closings: list[bytes] = []
    for subtype, part, some in (("mixed", b"m", others), ("related", b"r", pictures)):
        if some:
            boundary = b"=_" + part + digest.encode()  # no transfer encoding can hold it (RFC 2045 section 6.7)
            openings.append(_opening(subtype, boundary))
            closings.insert(0, _closing(some, boundary))
    return Enclosures(opening=b"".join(openings), closing=b"".join(closings))


def enclose(mail: MailObject, enclosures: Enclosures) -> MailObject:
    """Put `enclosures` around the text of a mail that the composer made; its own octets are all that is copied.

    Raises:
        CannotCompose: the mail has no such text.
    """
    headers, text, alternatives = mail.content.partition(_TEXT)
    if not text or b"\r\n\r\n" in headers:
        raise CannotCompose("enclosures: the mail's text is no multipart/alternative")
    content = b"".join((headers, b"\r\n", enclosures.opening, _TEXT.removeprefix(b"\r\n"), alternatives))
    return MailObject(envelope=mail.envelope, content=content, enclosed=enclosures.closing)


def _opening(subtype: str, boundary: bytes) -> bytes:
    root = b'; type="multipart/alternative"' if subtype == "related" else b""  # RFC 2387 section 3.1
    field = b"Content-Type: multipart/" + subtype.encode() + root
    return field + b';\r\n boundary="' + boundary + b'"\r\n\r\n--' + boundary + b"\r\n"


def _closing(files: Iterable[AttachedFile], boundary: bytes) -> bytes:
    parts = (piece for file in files for piece in (b"\r\n--", boundary, b"\r\n", _headers(file), _lines(file.content)))
    return b"".join((*parts, b"\r\n--", boundary, b"--\r\n"))


def _headers(file: AttachedFile) -> bytes:
    """Write the name twice: as it is, and for programs that cannot read that, in ASCII (RFC 2183, RFC 2231)."""
    headers = [
        f"Content-Type: {file.content_type}{plain_parameter('name', ascii_file_name(file.name))}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {'inline' if file.content_id else 'attachment'}{file_name_parameter(file.name)}",
        *([f"Content-ID: <{file.content_id}>"] if file.content_id else []),
    ]
    return "".join(f"{header}\r\n" for header in (*headers, "")).encode("ascii")


def _lines(content: bytes) -> bytes:
    encoded = b2a_base64(content, newline=False)
    return b"\r\n".join([*(encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)), b""])
