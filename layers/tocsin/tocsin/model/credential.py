"""What AUTH uses, and the secret it comes from."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

if TYPE_CHECKING:
    from tocsin.model.grant import Tokens

_OF_TOKENS = ["access_token", "access_token_expires_at", "refresh_token", "account_version"]


class SecretBinding(BaseModel):
    """What a stored secret was saved for, and is used with alone: relay, user, proxy, identity provider, mailbox.

    `proxy` is `host:port`, or `user@host:port`; `mailbox` is `host:port` and its security: the same password, or token,
    logs in there.
    `identity_provider` names provider, tenant, client and token endpoint: all that decides who sees its OAuth2 parts.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    host: str
    port: int
    security: str
    username: str | None = None
    proxy: str | None = None
    identity_provider: str | None = None
    mailbox: str | None = None


class AccountSecret(BaseModel):
    """One mail account's JSON secret in Secrets Manager. Values never appear in `repr`, logs or errors.

    `client_certificate` is PEM: the certificate and its private key. `service_account_key` is Google's JSON key file.
    Access and refresh token of one `grant_version` are written together, for the account's settings of
    `account_version`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)

    saved_for: SecretBinding
    password: SecretStr | None = None
    client_secret: SecretStr | None = None
    client_certificate: SecretStr | None = None
    service_account_key: SecretStr | None = None
    refresh_token: SecretStr | None = None
    access_token: SecretStr | None = None
    access_token_expires_at: AwareDatetime | None = None
    grant_version: int = 0
    account_version: int | None = None
    proxy_password: SecretStr | None = None

    def with_tokens(self, tokens: "Tokens", *, grant_version: int, account_version: int | None) -> "AccountSecret":
        """The secret with new tokens; a refresh token that was not given again is kept."""
        refresh_token = SecretStr(tokens.refresh_token) if tokens.refresh_token else self.refresh_token
        return self.model_copy(
            update={
                "access_token": SecretStr(tokens.access_token),
                "access_token_expires_at": tokens.expires_at,
                "refresh_token": refresh_token,
                "grant_version": grant_version,
                "account_version": account_version,
            }
        )

    def with_tokens_of(self, newer: "AccountSecret") -> "AccountSecret":
        """The secret with the tokens of a later version; of what was saved for something else, only its number."""
        names = ["grant_version"] + (_OF_TOKENS if newer.saved_for == self.saved_for else [])
        return self.model_copy(update={name: getattr(newer, name) for name in names})

    def reveal(self) -> dict[str, Any]:
        """The secret as it is stored, its values in clear: for Secrets Manager and nobody else."""
        fields: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        for name, value in self:
            if isinstance(value, SecretStr):
                fields[name] = value.get_secret_value()
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What one AUTH command proves: a password or a token, and for whom. Exactly one of the two is set.

    `version` is the Secrets Manager version that the value came from: whatever is cached for this credential is cached
    under project + mail account + `version`. `mechanism` is the only SASL mechanism that may carry it; None: any.
    """

    version: str
    username: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    mechanism: str | None = None
    proxy_password: str | None = field(default=None, repr=False)
