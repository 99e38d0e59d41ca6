"""A way to an identity provider that answers as it is told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tocsin.data.identity_providers import identity_provider_for

from tests.identity_provider import IdentityProvider
from tests.identity_provider.accounts import (
    NOW,
    TOKEN_HOSTS,
    account_at,
    account_of,
    providers_at,
    providers_by_detour,
    secret_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.adapters.identity_providers import IdentityProviders
    from tocsin.model.grant import Tokens
    from tocsin.model.mail_account import MailAccount

    from tests.identity_provider.actions import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A way to a provider that answers as it is told, and an account that has a refresh token of it."""

    providers: IdentityProviders
    provider: IdentityProvider
    account: MailAccount

    def renew(self, **given: Any) -> Tokens:  # noqa: ANN401  passed on
        """Renew the grant of a new consent to the account's scopes."""
        scopes = ("openid", "email", *identity_provider_for(self.account).mail_scopes)
        secret = secret_of(refresh_token=self.provider.refresh_token(" ".join(scopes)))
        return self.providers.renew(self.account, secret, now=NOW, **given)


@contextmanager
def line_to(
    name: str, *actions: Action, known: dict[str, Any] | None = None, grant: str = "refresh_token"
) -> Iterator[Line]:
    """A line to a provider of this name, whose token endpoint does `actions`; `known` is what the grant is known by."""
    script = {"token": actions}
    if name == "generic":
        with IdentityProvider(script=script) as provider:
            yield Line(providers=providers_at(provider), provider=provider, account=account_at(provider, grant=grant))
        return
    with IdentityProvider(script=script, hosts=[TOKEN_HOSTS[name]]) as provider:
        providers, _ = providers_by_detour(provider)
        yield Line(providers=providers, provider=provider, account=account_of(name, known=known, grant=grant))
