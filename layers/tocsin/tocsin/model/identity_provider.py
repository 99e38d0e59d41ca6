"""Identity providers: what a preset knows of one, and what an account makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from tocsin.errors import PermanentError
from tocsin.model.condition import Service
from tocsin.model.grant import GrantType, missing_scopes
from tocsin.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tocsin.model.mail_account import MailAccount

MANY_TENANTS = frozenset({"common", "organizations", "consumers"})
"""What may stand for a tenant where anybody may sign in; an application itself belongs to one tenant."""


class Dialect(StrEnum):
    """Whose ways of OAuth2 a provider follows."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    PLAIN = "plain"  # RFC 6749 as it stands

    @property
    def service(self) -> Service:
        """Whose words the answers are in."""
        return {Dialect.MICROSOFT: Service.MICROSOFT_TOKEN, Dialect.GOOGLE: Service.GOOGLE_TOKEN}.get(
            self, Service.TOKEN
        )


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class TransportAccess(_Data):
    """What a transport needs: scopes where a person consents and where the application acts itself, and its hosts."""

    delegated: tuple[str, ...]
    application: tuple[str, ...]
    hosts: frozenset[str]


class Preset(_Data):
    """One entry of `data/identity_providers.toml`, which explains the fields."""

    name: str
    dialect: Dialect
    grants: frozenset[GrantType]
    authorization_url: str | None = None
    token_url: str | None = None
    userinfo_url: str | None = None
    userinfo_scheme: Literal["Bearer", "OAuth"] = "Bearer"
    default_tenant: str | None = None
    sign_in_scopes: tuple[str, ...] = ()
    authorization_parameters: dict[str, str] = {}
    client_authentication: Literal["post", "basic"]
    client_secret_required: bool = False
    mechanism: Literal["XOAUTH2", "OAUTHBEARER"] | None = None
    identity_claims: tuple[str, ...] = ()
    lapses_after_days: int | None = None
    testing_days: int | None = None
    unverified: frozenset[str] = frozenset()
    transports: dict[str, TransportAccess] = {}

    @property
    def is_generic(self) -> bool:
        """Whether the account itself names endpoints, scopes and hosts."""
        return self.token_url is None

    def resolved(self, account: MailAccount) -> IdentityProvider:
        """The provider as `account` uses it; the account's settings are in order (`problems`)."""
        oauth2 = account.auth.oauth2
        if oauth2 is None:
            raise UnusableOAuth2([Problem(field="auth.oauth2", text="OAuth2 settings are missing.")])
        access = self.transports.get(account.transport)
        is_delegated = oauth2.grant.has_refresh_token
        preset_scopes = () if access is None else (access.delegated if is_delegated else access.application)
        tenant = oauth2.tenant_id or self.default_tenant or ""
        return IdentityProvider(
            name=self.name,
            dialect=self.dialect,
            authorization_url=_filled(oauth2.authorization_url or self.authorization_url, tenant),
            token_url=_filled(oauth2.token_url or self.token_url, tenant) or "",
            userinfo_url=_filled(oauth2.userinfo_url or self.userinfo_url, tenant),
            userinfo_scheme=self.userinfo_scheme,
            scopes=tuple(oauth2.scopes or preset_scopes),
            sign_in_scopes=self.sign_in_scopes,
            authorization_parameters={**self.authorization_parameters, **oauth2.extra_parameters},
            token_parameters={} if is_delegated else oauth2.extra_parameters,
            client_authentication=oauth2.client_authentication or self.client_authentication,
            mechanism=oauth2.mechanism or self.mechanism,
            token_hosts=frozenset({account.relay.host.lower().rstrip(".")}) if access is None else access.hosts,
            identity_claims=self.identity_claims,
            lapses_after=_days(self.lapses_after_days),
            testing_life=_days(self.testing_days),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """The OAuth2 server of one account.

    `scopes` are those of the account's transport and grant, `sign_in_scopes` are asked beside them of a person.
    `token_parameters` go into token requests that no authorization request came before. `token_hosts` are the only
    hosts that tokens may be sent to (DESIGN rule 8). A grant with a refresh token that nobody uses ends `lapses_after`
    its last renewal; one of an application that is still being tested ends `testing_life` after the consent.
    """

    name: str
    dialect: Dialect
    authorization_url: str | None
    token_url: str
    userinfo_url: str | None
    userinfo_scheme: str
    scopes: tuple[str, ...]
    sign_in_scopes: tuple[str, ...]
    authorization_parameters: Mapping[str, str] = field(hash=False)
    token_parameters: Mapping[str, str] = field(hash=False)
    client_authentication: Literal["post", "basic"]
    mechanism: Literal["XOAUTH2", "OAUTHBEARER"] | None
    token_hosts: frozenset[str]
    identity_claims: tuple[str, ...]
    lapses_after: timedelta | None
    testing_life: timedelta | None

    @property
    def mail_scopes(self) -> tuple[str, ...]:
        """The scopes but those of signing in."""
        return missing_scopes(self.scopes, ())

    @property
    def names_users(self) -> bool:
        """Whether it says who signed in: in the id_token that the scope `openid` asks for, or by userinfo."""
        asked = (*self.sign_in_scopes, *self.scopes)
        return bool(self.identity_claims) and (self.userinfo_url is not None or "openid" in asked)

    def may_see_token(self, host: str) -> bool:
        """Whether a token of this provider may be sent to `host`."""
        return host.lower().rstrip(".") in self.token_hosts


class UnusableOAuth2(PermanentError):
    """The account's OAuth2 settings cannot be used before an admin corrects them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.text for problem in self.problems))


def _filled(url: str | None, tenant: str) -> str | None:
    return None if url is None else url.replace("{tenant}", tenant)


def _days(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)
