"""What AUTH uses, and the secret it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr


class SecretBinding(BaseModel):
    """The relay and user that a stored secret was saved for; it is used with no other."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int
    security: str
    username: str | None = None


class AccountSecret(BaseModel):
    """One mail account's JSON secret in Secrets Manager. Values never appear in `repr`, logs or errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    saved_for: SecretBinding
    password: SecretStr | None = None
    access_token: SecretStr | None = None
    access_token_expires_at: datetime | None = None
    proxy_password: SecretStr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What one AUTH command proves: a password or a token, and for whom. Exactly one of the two is set.

    `version` is the Secrets Manager version that the value came from: whatever is cached for this credential is cached
    under project + mail account + `version`.
    """

    version: str
    username: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    proxy_password: str | None = field(default=None, repr=False)
