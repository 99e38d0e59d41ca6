"""Keys as people paste them: read in every form that is one, refused with a reason that repeats nothing of it."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from tocsin.model.key_files import UnreadableKey, client_certificate, service_account_key

from tests.identity_provider.keys import (
    SERVICE_ACCOUNT,
    application_certificate,
    application_key,
    pem_of,
    service_account,
    service_account_private_key,
)
from tests.relay.authority import authority

_PEM = pem_of(service_account_private_key())
_CERTIFICATE, _, _ = application_certificate().partition("-----BEGIN PRIVATE")
_PKCS1 = (
    service_account_private_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
)
_ENCRYPTED = (
    service_account_private_key()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw"))
    .decode()
)
_ELLIPTIC = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)


def _file(**changes: object) -> str:
    return json.dumps({**json.loads(service_account()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(service_account(), id="the file"),
        pytest.param(f"\n  {service_account()}\n", id="the file with blanks around it"),
        pytest.param(service_account().replace("\\n", "\n"), id="the file with real line ends in its key"),
        pytest.param(_file(private_key=_PEM.replace("\n", "\\n")), id="the file with its key escaped twice"),
        pytest.param(_PEM, id="the key"),
        pytest.param(_PEM.replace("\n", "\r\n"), id="the key from Windows"),
        pytest.param(_PEM.replace("\n", "\\n"), id="the key in one line"),
        pytest.param(_PEM.replace("\n", "\\r\\n"), id="the key in one line from Windows"),
        pytest.param(_PKCS1, id="the key in PKCS 1"),
    ],
)
def test_a_service_account_key_is_read_in_every_form(text: str) -> None:
    key = service_account_key(text, email=SERVICE_ACCOUNT)

    assert key.email == SERVICE_ACCOUNT
    assert key.private_key.startswith("-----BEGIN ")
    assert "PRIVATE KEY" not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "{" * 100_000,
        _file(type="authorized_user"),
        _file(client_email=None),
        _file(private_key=7),
        _file(private_key=_PEM[:200]),
        _PEM[:-40],
        _PEM.replace("\n", "")[:400],
        _PEM + _PEM,
        _PEM.replace("M", "N", 30),
        _ENCRYPTED,
        _ELLIPTIC,
        _CERTIFICATE,
    ],
    ids=range(15),
)
def test_what_is_no_service_account_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UnreadableKey) as refused:
        service_account_key(text, email=SERVICE_ACCOUNT)

    assert str(refused.value).endswith(".")
    assert not any(line in str(refused.value) for line in text.split() if len(line) > 20)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(application_certificate(), id="certificate and key"),
        pytest.param(pem_of(application_key()) + _CERTIFICATE, id="key and certificate"),
        pytest.param(application_certificate() + authority().pem, id="with the chain"),
        pytest.param(authority().pem + application_certificate(), id="the chain first"),
        pytest.param(application_certificate().replace("\n", "\\n"), id="in one line"),
    ],
)
def test_a_client_certificate_is_read_in_every_order(text: str) -> None:
    certificate = client_certificate(text)

    assert certificate.certificate == _CERTIFICATE
    assert certificate.private_key == pem_of(application_key())
    assert len(certificate.x5t_s256) == 43
    assert certificate.private_key not in repr(certificate)


@pytest.mark.parametrize(
    "text",
    [
        "",
        _CERTIFICATE,
        pem_of(application_key()),
        _CERTIFICATE + pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        _CERTIFICATE[:300] + "\n-----END CERTIFICATE-----\n" + pem_of(application_key()),
        application_certificate() + pem_of(application_key()),
        authority().pem + _ELLIPTIC,
    ],
    ids=range(7),
)
def test_what_is_no_client_certificate_is_refused(text: str) -> None:
    with pytest.raises(UnreadableKey):
        client_certificate(text)
