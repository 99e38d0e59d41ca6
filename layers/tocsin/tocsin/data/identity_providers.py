"""The OAuth2 servers that we know, as data, and which of them an account uses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tocsin.data.presets import identity_provider_name
from tocsin.model.identity_provider import Preset, UnusableOAuth2
from tocsin.model.oauth2_problems import secret_problems, settings_problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.identity_provider import IdentityProvider
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.problem import Problem


def identity_provider_for(account: MailAccount) -> IdentityProvider:
    """The identity provider of the account: its preset, with what the account says for itself.

    Raises:
        UnusableOAuth2: the settings are incomplete, or contradict the preset.
    """
    presets, account = document(), _by_identity_provider(account)
    if found := settings_problems(account, presets):
        raise UnusableOAuth2(found)
    return presets[account.provider].resolved(account)


def mailbox_may_see_token(account: MailAccount) -> bool:
    """Whether the account's tokens may go to its mailbox: of a provider we know, only to that provider's hosts."""
    presets, known = document(), _by_identity_provider(account)
    if account.mailbox is None or known.provider not in presets:
        return False
    if presets[known.provider].is_generic:
        return True  # the admin named both
    access = presets[known.provider].transports.get(account.transport)
    return access is not None and account.mailbox.host.lower().rstrip(".") in access.hosts


def problems(account: MailAccount, secret_fields: Mapping[str, object]) -> list[Problem]:
    """What is missing or wrong in the account's OAuth2 settings, in words for its admin; empty: nothing.

    `secret_fields` are the values of `AccountSecret` in clear, by name, as typed or as stored. Keys and certificates
    are parsed.
    """
    presets, account = document(), _by_identity_provider(account)
    found, auth = settings_problems(account, presets), account.auth
    if auth.type == "oauth2" and auth.oauth2 is not None and account.provider in presets:
        found += secret_problems(auth.oauth2, presets[account.provider], secret_fields)
    return found


def _by_identity_provider(account: MailAccount) -> MailAccount:
    """The account under the name of its identity provider, where its own is that of a mail provider."""
    if account.provider in document():
        return account
    return account.model_copy(update={"provider": identity_provider_name(account.provider) or account.provider})


@cache
def document() -> Mapping[str, Preset]:
    """The file as it stands, by the provider's name."""
    import tomllib  # noqa: PLC0415  tens of milliseconds that only OAuth2 needs
    from importlib.resources import files  # noqa: PLC0415  as above

    table = tomllib.loads(files("tocsin.data").joinpath("identity_providers.toml").read_text("utf-8"))
    return {name: Preset.model_validate({"name": name, **entry}) for name, entry in table.items()}
