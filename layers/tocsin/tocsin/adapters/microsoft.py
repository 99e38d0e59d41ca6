"""Microsoft Entra: msal writes the requests, client assertions included; we send them and judge the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tocsin.model.key_files import client_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.adapters.token_endpoint import Question, TokenEndpoint
    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import Tokens

_STATE = "ours"  # msal compares it with itself; the real one was checked before


def redeem(endpoint: TokenEndpoint, question: Question, *, code: str, code_verifier: str, redirect_uri: str) -> Tokens:
    """Exchange an authorization code for tokens of the transport's one resource."""
    wire = _Wire(endpoint, question)
    flow = {
        "state": _STATE,
        "code_verifier": code_verifier,
        "redirect_uri": redirect_uri,
        "scope": list(question.provider.mail_scopes),
    }
    _application(wire).acquire_token_by_auth_code_flow(flow, {"state": _STATE, "code": code})
    return wire.tokens()


def refresh(endpoint: TokenEndpoint, question: Question, *, refresh_token: str) -> Tokens:
    """Renew, naming the resource: Entra's refresh tokens are good for every resource that was consented to."""
    wire = _Wire(endpoint, question)
    _application(wire).acquire_token_by_refresh_token(refresh_token, list(question.provider.mail_scopes))
    return wire.tokens()


def client_credentials(endpoint: TokenEndpoint, question: Question) -> Tokens:
    """Ask as the application itself."""
    wire = _Wire(endpoint, question)
    _application(wire).acquire_token_for_client(list(question.provider.mail_scopes))
    return wire.tokens()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    """What msal wants of an HTTP response."""

    text: str
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Never: failures are raised before msal sees them."""


class _Wire:
    """The HTTP client that msal is given, for one request.

    The endpoints are our data, so its question after them is answered here. The tokens are read by us; msal itself is
    told of a token in a form that cannot surprise it, and its cache goes with it.
    """

    def __init__(self, endpoint: TokenEndpoint, question: Question) -> None:
        self._endpoint = endpoint
        self.question = question
        self._tokens: list[Tokens] = []

    def tokens(self) -> Tokens:
        """What the request brought."""
        return self._tokens[0]

    def get(self, _url: str, **_: object) -> _Response:
        """Answer the discovery of endpoints."""
        provider = self.question.provider
        known = {"authorization_endpoint": provider.authorization_url, "token_endpoint": provider.token_url}
        return _Response(text=json.dumps(known))

    def post(self, _url: str, *, data: Mapping[str, Any], headers: Mapping[str, str], **_: object) -> _Response:
        """Ask the token endpoint; its errors pass through msal unchanged."""
        self._tokens.append(self._endpoint.ask(self.question, _form(data), headers=headers))
        return _Response(text=json.dumps({"access_token": "kept", "token_type": "Bearer", "expires_in": 1}))

    def close(self) -> None:
        """Nothing is open."""


def _form(data: Mapping[str, Any]) -> dict[str, str]:
    return {name: value.decode("ascii") if isinstance(value, bytes) else str(value) for name, value in data.items()}


def _application(wire: _Wire) -> Any:  # noqa: ANN401  msal has no types
    """An application of msal's for this one request: its caches would outlive the settings that they came from."""
    import msal  # noqa: PLC0415  a password account never loads it

    question = wire.question
    credential = _credential(question.secret)
    kind = msal.PublicClientApplication if credential is None else msal.ConfidentialClientApplication
    return kind(
        question.oauth2.client_id,
        client_credential=credential,
        authority=question.provider.token_url.removesuffix("/oauth2/v2.0/token"),
        instance_discovery=False,
        http_client=wire,
    )


def _credential(secret: AccountSecret) -> str | dict[str, str] | None:
    if secret.client_certificate is not None:
        certificate = client_certificate(secret.client_certificate.get_secret_value())
        return {"private_key": certificate.private_key, "public_certificate": certificate.certificate}
    return None if secret.client_secret is None else secret.client_secret.get_secret_value()
