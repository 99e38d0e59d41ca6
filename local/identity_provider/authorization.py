"""The authorization endpoint: what a client asks for, and what the person decides (RFC 6749 section 4.1, RFC 7636)."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from local.identity_provider.grants import Grant
from local.identity_provider.refusal import Refused
from local.identity_provider.registrations import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from local.identity_provider.grants import Grants
    from local.identity_provider.registrations import Client, Registrations, User

CODE_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
CONSENT_LIFETIME_SECONDS = 600


class NoWayBack(Exception):
    """Client or redirect URI are not registered: the person is told, and sent nowhere (RFC 6749 section 4.1.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for. `login_hint` is the address it expects to see."""

    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    code_challenge: str
    nonce: str | None
    login_hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A request that waits for the person; `id` is known to the page that asks them, and to nobody else."""

    id: str
    request: Request
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """The client's request cannot be granted, which the client is told at `location`."""

    location: str


class Authorization:
    """The endpoint, without its pages. `clock` tells seconds since 1970. Safe to use from several threads."""

    def __init__(
        self, *, issuer: str, registrations: Registrations, grants: Grants, clock: Callable[[], float]
    ) -> None:
        self._issuer = issuer
        self._registrations = registrations
        self._grants = grants
        self._clock = clock
        self._consents: dict[str, Consent] = {}
        self._lock = threading.Lock()

    def ask(self, parameters: Mapping[str, str]) -> Consent | Denied:
        """Take a request: a consent to ask the person for, or where to send them because it cannot be granted.

        Raises:
            NoWayBack: neither.
        """
        redirect_uri = _redirect_uri(parameters, self._registrations.client)
        try:
            request = _request(parameters, redirect_uri)
        except Refused as refused:
            return Denied(location=self._refusal(redirect_uri, parameters.get("state"), refused))
        expires_at = self._clock() + CONSENT_LIFETIME_SECONDS
        consent = Consent(id=secrets.token_urlsafe(32), request=request, expires_at=expires_at)
        with self._lock:
            self._consents[consent.id] = consent
        return consent

    def allow(self, consent_id: str, *, user: User, scopes: Collection[str]) -> str:
        """The person allows `scopes`, or those of them that were asked for; where to send them.

        Raises:
            NoWayBack: there is no such consent.
        """
        request = self._decided(consent_id)
        granted = tuple(scope for scope in request.scopes if scope in scopes)
        code = self._grants.issue_code(
            Grant(user=user, scopes=granted, nonce=request.nonce),
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            now=self._clock(),
        )
        return self._location(request.redirect_uri, request.state, {"code": code})

    def deny(self, consent_id: str) -> str:
        """The person says no; where to send them.

        Raises:
            NoWayBack: there is no such consent.
        """
        request = self._decided(consent_id)
        refused = Refused("access_denied", "the user said no")
        return self._refusal(request.redirect_uri, request.state, refused)

    def _decided(self, consent_id: str) -> Request:
        with self._lock:
            consent = self._consents.pop(consent_id, None)
        if not consent or consent.expires_at <= self._clock():
            raise NoWayBack("This page was used before, or is too old. Start again where you came from.")
        return consent.request

    def _refusal(self, redirect_uri: str, state: str | None, refused: Refused) -> str:
        answer = {"error": refused.error, "error_description": refused.description}
        return self._location(redirect_uri, state, answer)

    def _location(self, redirect_uri: str, state: str | None, answer: dict[str, str]) -> str:
        """`iss` says who answers, so that a client with many providers is not misled (RFC 9207)."""
        answer = answer | ({"state": state} if state else {}) | {"iss": self._issuer}
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}"


def _redirect_uri(parameters: Mapping[str, str], client: Client) -> str:
    if parameters.get("client_id") != client.id:
        raise NoWayBack("The application that sent you is not registered here.")
    redirect_uri = parameters.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris:
        raise NoWayBack("The application that sent you wants an answer at an address that is not registered for it.")
    return redirect_uri


def _request(parameters: Mapping[str, str], redirect_uri: str) -> Request:
    _check_response_type(parameters)
    return Request(
        redirect_uri=redirect_uri,
        state=parameters.get("state"),
        scopes=known_scopes(parameters.get("scope", "")),
        code_challenge=_code_challenge(parameters),
        nonce=parameters.get("nonce"),
        login_hint=parameters.get("login_hint"),
    )


def _check_response_type(parameters: Mapping[str, str]) -> None:
    if parameters.get("response_type") != "code":
        raise Refused("unsupported_response_type", "response_type must be code")
    if parameters.get("prompt") == "none":
        raise Refused("interaction_required", "somebody must be asked: nobody stays signed in here")


def known_scopes(scope: str) -> tuple[str, ...]:
    """The scopes of a `scope` parameter.

    Raises:
        Refused: one is unknown, or there is none.
    """
    scopes = tuple(dict.fromkeys(scope.split()))
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Refused("invalid_scope", f"known scopes are: {' '.join(SCOPES)}")
    return scopes


def _code_challenge(parameters: Mapping[str, str]) -> str:
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or not CODE_CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "PKCE is required: code_challenge_method=S256 and a code_challenge")
    return challenge
