"""Links that came with an event: http and https only, written in ASCII."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

import idna

LONGEST_HEADER_URL = 900  # a header line ends at 998 octets and a URL cannot be folded
_LONGEST_URL = 4_000
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\]")
_PLAIN = re.compile(  # what goes through the rules below as it is
    r"https?://[a-z0-9._~-]+(?:/[A-Za-z0-9!$%&'()*+,/:;=@._~-]*(?:\?[A-Za-z0-9!$%&'()*+,/:;=?@._~-]+)?)?", re.ASCII
)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]", re.ASCII)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_KEEP = "!$%&'()*+,/:;=?@[]~#"  # reserved by RFC 3986, or already escaped


def safe_url(text: str | None) -> str | None:
    """Give `text` as an absolute http or https URL in ASCII, or None where it is none."""
    if text is not None and len(text) <= _LONGEST_URL and _PLAIN.fullmatch(text):
        return text
    if text is None or len(text) > _LONGEST_URL or _UNSAFE.search(text.strip()):
        return None
    try:
        return _ascii_url(text.strip())
    except ValueError:  # bad port, bad IPv6 host, bad internationalised name
        return None


def normal_url(url: str) -> str:
    """Give a safe URL in the form that all ways to write it have in common (RFC 3986 section 6.2).

    The default port is left out, and unreserved characters are not escaped.
    """
    scheme, netloc, *rest = urlsplit(url)
    netloc = netloc.removesuffix(_DEFAULT_PORTS.get(scheme, ""))
    return _ESCAPE.sub(_plain_or_upper, urlunsplit((scheme, netloc, *rest)))


def is_one_click_link(text: str | None) -> bool:
    """Whether a mail program can have a subscriber leave by `text`: by https (RFC 8058), and named in a header."""
    url = safe_url(text)
    return url is not None and url.startswith("https:") and len(url) <= LONGEST_HEADER_URL


def _ascii_url(text: str) -> str | None:
    scheme, _, path, query, fragment = parts = urlsplit(text)
    host = _ascii_host(parts.hostname or "")
    if scheme not in {"http", "https"} or not _HOST.fullmatch(host) or parts.username is not None:
        return None
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    return urlunsplit((scheme, netloc, *(quote(part, safe=_KEEP) for part in (path, query, fragment))))


def _plain_or_upper(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
