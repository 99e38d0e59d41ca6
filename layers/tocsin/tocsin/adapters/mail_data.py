"""The content of a message as it goes over the wire behind DATA (RFC 5321 section 4.5.2)."""

from __future__ import annotations


def normalised(content: bytes) -> bytes:
    """The content with CRLF at every line end, the last one included.

    A bare LF or CR may end the message at some relays, and the lines behind it then run as commands.
    """
    if content.endswith(b"\r\n") and content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        return content  # as our composer writes it
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return lines if lines.endswith(b"\r\n") or not lines else lines + b"\r\n"


def stuffed(lines: bytes, enclosed: bytes = b"") -> bytes:
    """Normalised content with its dots doubled at line starts, what is enclosed as it is, and the final dot."""
    doubled = lines.replace(b"\r\n.", b"\r\n..") if b"\r\n." in lines else lines  # to look is faster by half
    return b"".join((b"." if lines.startswith(b".") else b"", doubled, enclosed, b".\r\n"))
