"""A private certificate authority and the certificates that the relay shows, made once for each test run."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)
_ASKING = Lock()


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server certificate with its key, in PEM."""

    chain: str
    key: str

    def server_context(self) -> ssl.SSLContext:
        """A context that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "certificate.pem")
            path.write_text(self.chain + self.key)
            context.load_cert_chain(path)
        return context


class Authority:
    """A certificate authority of its own; `pem` is what a client trusts."""

    def __init__(self, name: str = "Tests of Tocsin") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(self._name, self._key.public_key(), expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = _pem(certificate)

    def issue(self, *hosts: str, expired: bool = False) -> Certificate:
        """A certificate for these host names and IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(x509.Name([]), key.public_key(), expired=expired)
            .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return Certificate(_pem(certificate), _key_pem(key))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, expired: bool) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .issuer_name(self._name)
            .subject_name(subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * _DAY)
            .not_valid_after(now - _DAY if expired else now + _DAY)
        )


def authority() -> Authority:
    """The authority of this test run, the same one for threads that ask for it at once."""
    with _ASKING:
        return _authority()


@cache
def _authority() -> Authority:
    return Authority()


@cache
def loopback_certificate() -> Certificate:
    """What a relay shows unless told otherwise: valid for 127.0.0.1, localhost and relay.example.org."""
    return authority().issue("127.0.0.1", "localhost", "relay.example.org")


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
