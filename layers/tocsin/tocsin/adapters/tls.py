"""TLS towards a server that an admin chose: verified always, with the host name, from the minimum version up."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from tocsin.adapters.failures import Mishap, PhaseFailed, failing_in
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

_MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_for(min_tls_version: str, ca_certificate: str | None) -> ssl.SSLContext:
    """The context for these settings; `ca_certificate` is a PEM bundle that replaces the public roots.

    Raises:
        PhaseFailed: the bundle cannot be read, in phase tls.
    """
    try:
        return _context(min_tls_version, ca_certificate)
    except (ssl.SSLError, ValueError) as error:
        raise PhaseFailed.by(Phase.TLS, Mishap.TLS, "the CA certificate of the mail account cannot be read") from error


@lru_cache(maxsize=32)
def _context(min_tls_version: str, ca_certificate: str | None) -> ssl.SSLContext:
    """Make a context, which costs tens of milliseconds, once.

    It is safe to share (DESIGN rule 5): it follows from its key alone and holds no credential and no session.
    """
    context = ssl.create_default_context() if ca_certificate is None else _private_context(ca_certificate)
    context.minimum_version = _MINIMUM[min_tls_version]
    return context


def is_bundle(ca_certificate: str) -> bool:
    """Whether `context_for` can read it: one certificate or more, and none that is broken."""
    try:
        _private_context(ca_certificate)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _private_context(ca_certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a self-signed server certificate may be its own CA
    context.load_verify_locations(cadata=ca_certificate.encode("ascii", "replace").decode())  # words between may be any
    return context


def described(connection: ssl.SSLSocket) -> dict[str, Any]:
    """What was agreed on, and who the other side is: its certificate was verified."""
    cipher = connection.cipher()
    certificate = cast("dict[str, Any]", connection.getpeercert() or {})
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    return {
        "version": connection.version(),
        "cipher": cipher[0] if cipher else None,
        "certificate": {
            "subject": _name(certificate["subject"]),
            "names": [value for _, value in certificate.get("subjectAltName", ())],
            "issuer": _name(certificate["issuer"]),
            "expires_at": datetime.fromtimestamp(ends, UTC).isoformat(),
        },
    }


def _name(parts: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    return ", ".join(f"{attribute}={value}" for part in parts for attribute, value in part)


@contextmanager
def failing_handshake() -> Iterator[None]:
    """Turn what a handshake raises into `PhaseFailed`.

    Raises:
        PhaseFailed: in phase tls.
    """
    try:
        with failing_in(Phase.TLS), _explaining():
            yield
    except ValueError as error:
        raise PhaseFailed.by(Phase.TLS, Mishap.TLS, "the host has no name that a certificate could show") from error


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except ssl.SSLEOFError:
        raise  # a connection that was closed, as without TLS
    except ssl.SSLError as error:
        raise _refusal(error) from error


def _refusal(error: ssl.SSLError) -> PhaseFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return PhaseFailed.by(Phase.TLS, Mishap.CERTIFICATE_VERIFY_FAILED, error.verify_message)
    reason = (error.reason or "handshake failed").replace("_", " ").lower()
    return PhaseFailed.by(Phase.TLS, Mishap.TLS, reason)
