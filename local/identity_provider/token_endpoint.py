"""The token endpoint: four grants in, tokens out (RFC 6749 section 3.2, RFC 7523)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from local.identity_provider.authorization import known_scopes
from local.identity_provider.refusal import Refused
from local.identity_provider.registrations import MAIL_SCOPE, OFFLINE_SCOPE, SIGN_IN_SCOPE
from local.identity_provider.signing import ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.identity_provider.grants import Grant, Grants
    from local.identity_provider.registrations import Registrations, User
    from local.identity_provider.tokens import Tokens

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", JWT_BEARER)
APPLICATION_SCOPES = frozenset({MAIL_SCOPE})
MAXIMUM_ASSERTION_SECONDS = 3600
CLOCK_SKEW_SECONDS = 60

type Answer = dict[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """The endpoint, without HTTP. `audiences` are the names that an assertion may call it by."""

    registrations: Registrations
    grants: Grants
    tokens: Tokens
    audiences: frozenset[str]

    def answer(self, form: Mapping[str, str], *, client: tuple[str, str] | None) -> Answer:
        """Tokens. `client` is id and secret as the request gave them.

        Raises:
            Refused: they are not to be had.
        """
        grant_type = form.get("grant_type", "")
        if grant_type not in GRANT_TYPES:
            raise Refused("unsupported_grant_type", f"grant_type must be one of: {' '.join(GRANT_TYPES)}")
        if grant_type == JWT_BEARER:  # the assertion proves more than a client secret would
            return self._by_assertion(form)
        if client is None or not self.registrations.client.is_proven_by(*client):
            raise Refused("invalid_client", "client id or secret are wrong")
        match grant_type:
            case "authorization_code":
                return self._by_code(form)
            case "refresh_token":
                return self._by_refresh_token(form)
            case _:
                return self._by_client(form)

    def _by_code(self, form: Mapping[str, str]) -> Answer:
        grant = self.grants.redeem_code(
            _required(form, "code"),
            redirect_uri=_required(form, "redirect_uri"),
            code_verifier=_required(form, "code_verifier"),
            now=self.tokens.clock(),
        )
        keeps = OFFLINE_SCOPE in grant.scopes
        return self._of_grant(grant, refresh_token=self.grants.first_refresh_token(grant) if keeps else None)

    def _by_refresh_token(self, form: Mapping[str, str]) -> Answer:
        grant, refresh_token = self.grants.rotate(_required(form, "refresh_token"))
        return self._of_grant(grant, refresh_token=refresh_token)

    def _by_client(self, form: Mapping[str, str]) -> Answer:
        scopes = known_scopes(form.get("scope", ""))
        if not set(scopes) <= APPLICATION_SCOPES:
            raise Refused("invalid_scope", "an application that acts for nobody may ask for mail only")
        token = self.tokens.access_token(client_id=self.registrations.client.id, scopes=scopes)
        return self._answer(token, scopes)

    def _by_assertion(self, form: Mapping[str, str]) -> Answer:
        claims = self._assertion(_required(form, "assertion"))
        user = self.registrations.user(claims["sub"])
        if user is None:
            raise Refused("invalid_grant", "the assertion names no user of this provider")
        return self._of_user(user, known_scopes(claims.get("scope") or form.get("scope", "")))

    def _of_user(self, user: User, scopes: tuple[str, ...]) -> Answer:
        client_id = self.registrations.service_account.email
        return self._answer(self.tokens.user_token(user, client_id=client_id, scopes=scopes), scopes)

    def _of_grant(self, grant: Grant, *, refresh_token: str | None) -> Answer:
        client_id = self.registrations.client.id
        answer = self._answer(
            self.tokens.access_token(client_id=client_id, scopes=grant.scopes, grant=grant), grant.scopes
        )
        if refresh_token:
            answer["refresh_token"] = refresh_token
        if SIGN_IN_SCOPE in grant.scopes:
            answer["id_token"] = self.tokens.identity_token(grant, client_id=client_id)
        return answer

    def _answer(self, access_token: str, scopes: tuple[str, ...]) -> Answer:
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.tokens.lifetime_seconds,
            "scope": " ".join(scopes),
        }

    def _assertion(self, assertion: str) -> dict[str, Any]:
        """The claims of the service account's assertion (RFC 7523 section 3)."""
        account = self.registrations.service_account
        options: Any = {"require": ["iss", "sub", "aud", "exp", "iat"], "verify_exp": False, "verify_iat": False}
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                account.public_key,
                algorithms=[ALGORITHM],
                audience=list(self.audiences),
                issuer=account.email,
                options=options,
            )
        except jwt.InvalidTokenError as error:
            raise Refused("invalid_grant", f"the assertion does not hold: {error}") from error
        _check_times(claims, self.tokens.clock())
        return claims


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued_at, expires_at = claims["iat"], claims["exp"]
    if not isinstance(issued_at, int) or not isinstance(expires_at, int):
        raise Refused("invalid_grant", "iat and exp of the assertion are not numbers")
    if not now - CLOCK_SKEW_SECONDS < expires_at <= issued_at + MAXIMUM_ASSERTION_SECONDS:
        raise Refused("invalid_grant", "the assertion has lapsed, or holds for more than an hour")
    if issued_at > now + CLOCK_SKEW_SECONDS:
        raise Refused("invalid_grant", "the assertion was issued in the future")


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise Refused("invalid_request", f"{name} is missing")
    return value
