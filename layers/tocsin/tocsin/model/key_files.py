"""Private keys as people paste them: service accounts and client certificates, parsed and checked."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----.{1,20000}?-----END \1-----", re.DOTALL)


class UnreadableKey(ValueError):
    """The pasted text is not the key that it should be; the message says why and holds nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccountKey:
    """A service account and its private key in PEM."""

    email: str
    private_key: str = field(repr=False)
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """An application's certificate and its private key, both in PEM; `x5t_s256` names it in a JWT (RFC 7515 4.1.8)."""

    certificate: str
    private_key: str = field(repr=False)
    x5t_s256: str


def service_account_key(text: str, *, email: str) -> ServiceAccountKey:
    r"""Read Google's JSON key file, whole, or only its private key in PEM; then `email` says whose it is.

    A line end may be written as `\n`, as it is inside the file.

    Raises:
        UnreadableKey: it is neither.
    """
    if not text.lstrip().startswith("{"):
        return _checked(ServiceAccountKey(email=email, private_key=_one_pem(text, "PRIVATE KEY")))
    fields = _json_object(text)
    if fields.get("type") != "service_account":
        raise UnreadableKey("The JSON file is not the key of a service account.")
    private_key = _one_pem(_text(fields, "private_key"), "PRIVATE KEY")
    key_id = fields.get("private_key_id")
    return _checked(
        ServiceAccountKey(
            email=_text(fields, "client_email"),
            private_key=private_key,
            key_id=key_id if isinstance(key_id, str) else None,
        )
    )


def client_certificate(text: str) -> ClientCertificate:
    """Read a certificate and its RSA key, in PEM and in any order; further certificates are left out.

    Raises:
        UnreadableKey: one of the two is missing or cannot be read, or they do not belong together.
    """
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  a password account never needs it
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415  as above

    private_key = _one_pem(text, "PRIVATE KEY")
    certificate = _certificate_of(_rsa_key(private_key), _pems(text, "CERTIFICATE"))
    return ClientCertificate(
        certificate=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        private_key=private_key,
        x5t_s256=urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode("ascii"),
    )


def _json_object(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text, strict=False)  # pasting may turn \n inside the key into real line ends
    except (ValueError, RecursionError):
        raise UnreadableKey("The JSON file cannot be read; paste it whole.") from None
    if not isinstance(fields, dict):
        raise UnreadableKey("The JSON file cannot be read; paste it whole.")
    return fields


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableKey(f"The JSON file has no {name}.")
    return value


def _checked(key: ServiceAccountKey) -> ServiceAccountKey:
    _rsa_key(key.private_key)
    return key


def _one_pem(text: str, kind: str) -> str:
    found = _pems(text, kind)
    if len(found) != 1:
        raise UnreadableKey(f"There must be one {kind} in PEM form, with its BEGIN and END lines.")
    return found[0]


def _pems(text: str, kind: str) -> list[str]:
    text = text.replace("\\r", "").replace("\\n", "\n").replace("\r", "")
    return [match[0] + "\n" for match in _PEM.finditer(text) if match[1].endswith(kind)]


def _rsa_key(pem: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  a password account never needs it
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  as above

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise UnreadableKey("The private key is encrypted; paste it without a passphrase.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnreadableKey("The private key cannot be read; paste it whole.") from None
    if not isinstance(key, RSAPrivateKey):
        raise UnreadableKey("The private key is not an RSA key.")
    return key


def _certificate_of(key: RSAPrivateKey, pems: Sequence[str]) -> Certificate:
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415  a password account never needs it

    if not pems:
        raise UnreadableKey("There must be a CERTIFICATE in PEM form, with its BEGIN and END lines.")
    try:
        certificates = [load_pem_x509_certificate(pem.encode()) for pem in pems]
    except ValueError:
        raise UnreadableKey("The certificate cannot be read; paste it whole.") from None
    own = [certificate for certificate in certificates if certificate.public_key() == key.public_key()]
    if not own:
        raise UnreadableKey("The private key does not belong to the certificate.")
    return own[0]
