"""OAuth2 as RFC 6749, 7523 and 7636 have it, for every identity provider without ways of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.key_files import client_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.adapters.token_endpoint import Question, TokenEndpoint
    from tocsin.model.grant import Tokens

_ASSERTION_SECONDS = 300


def redeem(endpoint: TokenEndpoint, question: Question, *, code: str, code_verifier: str, redirect_uri: str) -> Tokens:
    """Exchange an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    form = {"code": code, "code_verifier": code_verifier, "redirect_uri": redirect_uri}
    return _ask(endpoint, question, {"grant_type": "authorization_code", **form})


def refresh(endpoint: TokenEndpoint, question: Question, *, refresh_token: str) -> Tokens:
    """Renew; no scope is named, which means those that were granted (RFC 6749 section 6)."""
    return _ask(endpoint, question, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def client_credentials(endpoint: TokenEndpoint, question: Question) -> Tokens:
    """Ask as the application itself (RFC 6749 section 4.4)."""
    form = {"grant_type": "client_credentials", **_scope(question), **question.provider.token_parameters}
    return _ask(endpoint, question, form)


def jwt_bearer(endpoint: TokenEndpoint, question: Question, *, assertion: str) -> Tokens:
    """Ask with an assertion, which proves the client as well (RFC 7523 section 2.1)."""
    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return endpoint.ask(
        question, {"grant_type": grant_type, "assertion": assertion, **question.provider.token_parameters}
    )


def _scope(question: Question) -> dict[str, str]:
    scopes = question.provider.mail_scopes
    return {"scope": " ".join(scopes)} if scopes else {}


def _ask(endpoint: TokenEndpoint, question: Question, form: Mapping[str, str]) -> Tokens:
    """Ask, with what proves the client: a certificate, a secret in the form or as HTTP Basic, or its mere id."""
    client_id, secret = question.oauth2.client_id, question.secret
    if secret.client_certificate is not None:
        proof = _client_assertion(question, secret.client_certificate.get_secret_value())
        return endpoint.ask(question, {**form, "client_id": client_id, **proof})
    if secret.client_secret is None:
        return endpoint.ask(question, {**form, "client_id": client_id})
    client_secret = secret.client_secret.get_secret_value()
    if question.provider.client_authentication == "basic":
        return endpoint.ask(question, form, basic=(client_id, client_secret))
    return endpoint.ask(question, {**form, "client_id": client_id, "client_secret": client_secret})


def _client_assertion(question: Question, pem: str) -> dict[str, str]:
    """Proof by certificate (RFC 7523 section 2.2), signed PS256 and naming the certificate by x5t#S256."""
    from msal.oauth2cli import JwtAssertionCreator  # noqa: PLC0415  a password account never loads it

    certificate = client_certificate(pem)
    headers = {"x5t#S256": certificate.x5t_s256}  # msal's own header has padding, which RFC 7515 has not
    creator = JwtAssertionCreator(certificate.private_key, algorithm="PS256", headers=headers)
    issued_at = int(question.now.timestamp())
    assertion = creator.create_normal_assertion(
        audience=question.provider.token_url,
        issuer=question.oauth2.client_id,
        issued_at=issued_at,
        not_before=issued_at,
        expires_at=issued_at + _ASSERTION_SECONDS,
    )
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion.decode("ascii"),
    }
