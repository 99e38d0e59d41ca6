"""The mail providers that we know, as data, and what of it an account uses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.mail_account import Limits, MailAccount
    from tocsin.model.preset import Preset


def preset_of(provider: str, *, host: str | None = None) -> Preset | None:
    """The preset that an account's `provider` names; of several that share the name, the one that has `host`.

    None: there is none.
    """
    presets = document()
    if provider in presets:
        return presets[provider]
    shared = [preset for preset in presets.values() if provider in preset.aliases]
    return next((preset for preset in shared if host and preset.has_host(host)), next(iter(shared), None))


def limits_of(account: MailAccount) -> Limits:
    """The limits that hold for the account: what its admin left open is as its provider has it.

    The file is read only where something is left open.
    """
    limits = account.limits
    if account.provider == "generic" or None not in {limits.per_minute, limits.per_day}:
        return limits
    preset = preset_of(account.provider, host=account.relay.host)
    return limits if preset is None else preset.limits_for(limits)


def identity_provider_name(provider: str) -> str | None:
    """The identity provider of the preset that an account's `provider` names; None: it has no OAuth2."""
    preset = preset_of(provider)
    return None if preset is None else preset.identity_provider


@cache
def document() -> Mapping[str, Preset]:
    """The file as it stands, by id."""
    import tomllib  # noqa: PLC0415  tens of milliseconds that many accounts never need
    from importlib.resources import files  # noqa: PLC0415  as above

    from tocsin.model.preset import Preset  # noqa: PLC0415  as above

    table = tomllib.loads(files("tocsin.data").joinpath("presets.toml").read_text("utf-8"))
    return {name: Preset.model_validate({"id": name, **entry}) for name, entry in table.items()}
