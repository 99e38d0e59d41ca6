"""The authorization redirect: the ticket an admin gets, each opening of it in a browser, and how it ends."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_PATH = r"^/(?:[A-Za-z0-9._~!$&'()*+,;=:@%?#-][A-Za-z0-9/._~!$&'()*+,;=:@%?#-]*)?$"


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class AuthorizationRequest(BaseModel):
    """What an admin asks for. `return_path` is a path on the console and never a URL."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    return_path: Annotated[str, Field(max_length=500, pattern=_PATH)] | None = None


class Ticket(_Kept):
    """The right of one admin to authorize one mail account, as it stood at `account_version`.

    `return_path` is a path on the console. A ticket is known by the fingerprint of its value only.
    """

    project_id: str
    mail_account_id: str
    account_version: int
    admin: str
    return_path: str | None = None
    expires_at: AwareDatetime
    is_used: bool = False


class Outcome(StrEnum):
    """How a redirect ends."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"  # connected, but the relay refused the login
    UNCONFIRMED = "unconfirmed"  # connected, but nobody could look whether the relay lets it in
    ALREADY_CONNECTED = "already_connected"  # by another opening of the same ticket
    DENIED = "denied"
    PROVIDER_REFUSED = "provider_refused"  # an error= other than a denial
    NO_CODE = "no_code"
    SCOPE_MISSING = "scope_missing"
    OTHER_USER = "other_user"
    USER_NOT_NAMED = "user_not_named"  # the provider did not say who signed in, and should have
    NO_REFRESH_TOKEN = "no_refresh_token"  # noqa: S105  (a name)
    EXCHANGE_REFUSED = "exchange_refused"
    EXCHANGE_FAILED = "exchange_failed"  # transient
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_DELETED = "account_deleted"
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105  (a name)
    TICKET_INVALID = "ticket_invalid"
    STATE_INVALID = "state_invalid"  # forged, foreign browser
    EXPIRED = "expired"
    IN_PROGRESS = "in_progress"
    INTERRUPTED = "interrupted"
    UNAVAILABLE = "unavailable"  # a service that we need is busy
    FAILED = "failed"  # nobody foresaw it


class Result(_Kept):
    """What the page at the end says. `said` are the other side's own words, `remedy` what to do about them.

    `expected` and `found` are the user or the scopes that were asked for, and those that came.
    """

    outcome: Outcome
    project_id: str | None = None
    mail_account_id: str | None = None
    account_name: str | None = None
    provider: str | None = None
    expected: str | None = None
    found: str | None = None
    said: str | None = None
    remedy: str | None = None
    remedy_id: str | None = None
    return_path: str | None = None


class Authorization(_Kept):
    """One opening of a ticket, on its way through one browser; known by the fingerprint of its `state`.

    `code_verifier` never leaves the server but for the token endpoint (RFC 7636). `begun_at` is when a callback took
    it, `begun_by` which: only one ever does.
    """

    ticket_fingerprint: str
    cookie_fingerprint: str
    project_id: str
    mail_account_id: str
    account_version: int
    admin: str
    return_path: str | None = None
    code_verifier: str = Field(repr=False)
    expires_at: AwareDatetime
    step: Literal["open", "begun", "finished"] = "open"
    begun_at: AwareDatetime | None = None
    begun_by: str | None = None
    result: Result | None = None


def fingerprint(value: str) -> str:
    """What is kept instead of a value that proves something."""
    return hashlib.sha256(value.encode()).hexdigest()


def cookie_name(state: str) -> str:
    """The cookie of the browser that a state belongs to (RFC 6265bis section 4.1.3.2: host only, https only)."""
    return f"__Host-tocsin-{fingerprint(state)}"
