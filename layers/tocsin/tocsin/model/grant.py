"""Grants: a project's OAuth2 permission at an identity provider, and the tokens it gives."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

MARGIN = timedelta(minutes=10)
"""How long before its end an access token is renewed: some relays refuse tokens that are about to lapse."""


SCHEDULED_EARLIER = timedelta(minutes=10)
"""How much earlier than the margin the schedule renews: two of its runs, so that one may fail."""

SPREAD = timedelta(minutes=5)
"""Over how long grants that were obtained together are spread."""


REST = timedelta(minutes=25)
"""How long the schedule leaves a renewed grant alone: it chases no tokens of minutes, and no grant ends meanwhile that
half an hour of disuse ends."""

PACE = timedelta(minutes=20)
"""How often a grant may be renewed in the long run. Secrets Manager keeps about 100 versions of a secret, and all of a
day; where it takes no further one, a refresh token that replaced another is lost."""

SAVED = timedelta(hours=7)
"""How much of that may be saved up for tokens that are needed sooner: 94 renewals in any 24 hours, and no more."""


class GrantType(StrEnum):
    """How tokens are obtained."""

    AUTHORIZATION_CODE = "authorization_code"  # a person consents once (RFC 6749 section 4.1, RFC 7636)
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  (a name) a person pasted the token
    CLIENT_CREDENTIALS = "client_credentials"  # the application itself (RFC 6749 section 4.4)
    JWT_BEARER = "jwt_bearer"  # a signed assertion (RFC 7523)

    @property
    def has_refresh_token(self) -> bool:
        """Whether a refresh token keeps the grant alive, so that losing it loses the grant."""
        return self in {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}


class OAuth2(BaseModel):
    """A mail account's OAuth2 settings, without their secrets. None means: as the provider's preset says."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    grant: GrantType
    tenant_id: str | None = None
    client_id: str
    authorization_url: str | None = None
    token_url: str | None = None
    userinfo_url: str | None = None
    scopes: tuple[str, ...] | None = None
    extra_parameters: dict[str, str] = {}
    client_authentication: Literal["post", "basic"] | None = None
    mechanism: Literal["XOAUTH2", "OAUTHBEARER"] | None = None
    client_secret_expires_on: date | None = None

    @property
    def endpoint(self) -> str:
        """What decides where the grant's secrets go."""
        return f"{self.tenant_id or '-'} {self.client_id} {self.token_url or '-'}"


class GrantState(BaseModel):
    """What is known of a grant, without its secrets.

    `version` grows with every renewal and is written into the secret as well. `identity` is who consented.
    `renewed_at` is when the access token was issued, `lapses_at` when the grant ends unless a renewal puts that off.
    `paced_until` is when all renewals so far are made up for, at one in each `PACE`. `forced_at` is when a relay's
    refusal last led to a renewal, `retry_at` when the identity provider may be asked again. `warned_days` is the last
    warning given of the client secret's end on `warned_end`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    version: Annotated[int, Field(ge=0)] = 0
    scopes: tuple[str, ...] | None = None
    identity: str | None = None
    consented_at: AwareDatetime | None = None
    renewed_at: AwareDatetime | None = None
    access_token_expires_at: AwareDatetime | None = None
    refresh_token_expires_at: AwareDatetime | None = None
    lapses_at: AwareDatetime | None = None
    paced_until: AwareDatetime | None = None
    failures: int = 0
    forced_at: AwareDatetime | None = None
    retry_at: AwareDatetime | None = None
    warned_days: int | None = None
    warned_end: date | None = None

    def may_be_forced_in(self, now: datetime) -> timedelta:
        """How long until a relay's refusal may lead to another renewal: where one does not help, a second will not."""
        return timedelta(0) if self.forced_at is None else max(self.forced_at + MARGIN - now, timedelta(0))

    def may_be_renewed_in(self, now: datetime) -> timedelta:
        """How long until its secret may be written once more."""
        return timedelta(0) if self.paced_until is None else max(self.paced_until - SAVED - now, timedelta(0))

    def lapses_soon(self, now: datetime) -> bool:
        """Whether the access token must be renewed before it is used.

        One that lives for minutes is used for ten of them, or for four fifths of its life, lest each use renew it.
        """
        end, start = self.access_token_expires_at, self.renewed_at
        if end is None:
            return True
        lapses_at = end - MARGIN
        if start is not None:
            lapses_at = max(lapses_at, start + min(MARGIN, (end - start) * 0.8))
        return now >= lapses_at

    def has_lapsed(self, now: datetime) -> bool:
        """Whether there was an access token, and it has ended."""
        return self.access_token_expires_at is not None and now >= self.access_token_expires_at

    @property
    def is_kept_fresh(self) -> bool:
        """Whether the access token lives long enough for the schedule to renew it ahead of its margin."""
        end, start = self.access_token_expires_at, self.renewed_at
        return end is not None and (start is None or end - start >= REST + SCHEDULED_EARLIER + MARGIN)

    def is_due(self, now: datetime) -> bool:
        """Whether it may be renewed by now, by the schedule or for a mail."""
        return self.lapses_soon(now) or now >= self.refresh_at(now, jitter=1.0)

    def refresh_at(self, now: datetime, *, jitter: float) -> datetime:
        """When the schedule is to renew it: well before the margin, spread by `jitter` (0 to 1), and after a rest.

        A grant that would lapse from disuse is renewed at half of the time that it has, whatever its access token does.
        """
        if self.access_token_expires_at is None:
            return now
        early = self.access_token_expires_at - MARGIN - SCHEDULED_EARLIER - SPREAD * jitter
        rested = self.renewed_at + REST if self.renewed_at is not None else early
        return min(max(early, rested), self._kept_alive_at(now))

    def renewed(self, tokens: "Tokens", now: datetime) -> "GrantState":
        """The state of a grant that has just given new tokens."""
        update: dict[str, object] = {
            "version": self.version + 1,
            "renewed_at": now,
            "access_token_expires_at": tokens.expires_at,
            "lapses_at": tokens.lapses_at,
            "paced_until": max(self.paced_until or now, now) + PACE,
            "failures": 0,
            "retry_at": None,
        }
        if tokens.refresh_token is not None:
            update["refresh_token_expires_at"] = tokens.refresh_token_expires_at
        if tokens.scopes is not None:
            update["scopes"] = tokens.scopes
        return self.model_copy(update=update)

    def _kept_alive_at(self, now: datetime) -> datetime:
        """The middle between the last renewal and the end of the grant."""
        if self.lapses_at is None:
            return _NEVER
        start = self.renewed_at or now
        return start + (self.lapses_at - start) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a token endpoint gave. `refresh_token` None: keep the old one. `scopes` None: it did not say.

    `identity` is who signed in, by back-channel claims only (an id_token from the token endpoint). `lapses_at` is when
    the grant ends if it is not renewed again.
    """

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    refresh_token_expires_at: datetime | None = None
    lapses_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    identity: str | None = None


def credential_version(project_id: str, account_id: str, grant_version: int) -> str:
    """The id of the secret's version that holds the tokens of this version of the grant.

    Secrets Manager takes it as ClientRequestToken: writing the same tokens again after a lost answer changes nothing.
    """
    return hashlib.sha256(f"{project_id}\n{account_id}\n{grant_version}".encode()).hexdigest()


def missing_scopes(asked: "Iterable[str]", granted: "Iterable[str] | None") -> tuple[str, ...]:
    """The scopes that were asked for and not granted, of those that grant access to mail.

    An answer that names no scopes grants what was asked (RFC 6749 section 5.1). Sign-in scopes are never missed:
    identity providers leave them out of the list as they like.
    """
    if granted is None:
        return ()
    have = {scope.casefold() for scope in granted}
    return tuple(scope for scope in asked if scope not in _SIGN_IN and scope.casefold() not in have)


_NEVER = datetime.max.replace(tzinfo=UTC)
_SIGN_IN = frozenset({"openid", "profile", "email", "offline_access"})
