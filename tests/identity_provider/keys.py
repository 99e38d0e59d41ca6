"""Keys and certificates of applications and service accounts, made once for each test run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

SERVICE_ACCOUNT = "robot@project.iam.example"
_DAY = timedelta(days=1)


@cache
def application_key() -> rsa.RSAPrivateKey:
    """The key of the application that has a certificate."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def application_certificate() -> str:
    """Its certificate and its key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Application")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(application_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .sign(application_key(), hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode() + pem_of(application_key())


@cache
def service_account_private_key() -> rsa.RSAPrivateKey:
    """The key of the service account."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def service_account() -> str:
    """The JSON key file of the service account."""
    return json.dumps(
        {
            "type": "service_account",
            "client_email": SERVICE_ACCOUNT,
            "client_id": "1234567890",
            "private_key_id": "key-1",
            "private_key": pem_of(service_account_private_key()),
            "token_uri": "https://elsewhere.example/token",
        }
    )


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """A private key in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
