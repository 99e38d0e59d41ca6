"""What an admin left out of a mail account, filled in from its provider's preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from tocsin.model.mail_account import Security
    from tocsin.model.mail_account_input import AuthInput, LimitsInput, MailAccountInput, RelayInput
    from tocsin.model.preset import Preset


def filled(written: MailAccountInput, preset: Preset) -> MailAccountInput:
    """The account with host, port, security, username, tenant and connections as the preset has them.

    Limits that are null stay so: the preset's are taken when they are used.

    Raises:
        InvalidSettings: something is left out that the preset does not know.
    """
    whole = written.model_copy(
        update={
            "relay": _relay(written.relay, preset),
            "auth": _auth(written.auth, preset),
            "limits": _limits(written.limits, preset),
        }
    )
    if missing := [*_missing_of_relay(whole.relay, preset), *_missing_of_auth(whole.auth, preset)]:
        raise InvalidSettings(missing)
    return whole


def _relay(relay: RelayInput, preset: Preset) -> RelayInput:
    port = relay.port or _port(relay.security, preset)
    security = relay.security or next((usual for known, usual in preset.ports if known == port), None)
    return relay.model_copy(update={"host": relay.host or preset.known_host, "port": port, "security": security})


def _port(security: Security | None, preset: Preset) -> int | None:
    return next((port for port, usual in preset.ports if security in {None, usual}), None)


def _auth(auth: AuthInput, preset: Preset) -> AuthInput:
    changes: dict[str, object] = {}
    if auth.type == "password" and auth.username is None:
        changes["username"] = preset.username
    if auth.oauth2 is not None and auth.oauth2.tenant_id is None:
        changes["oauth2"] = auth.oauth2.model_copy(update={"tenant_id": preset.tenant_id})
    return auth.model_copy(update=changes)


def _limits(limits: LimitsInput, preset: Preset) -> LimitsInput:
    if preset.limits.connections is None or "connections" in limits.model_fields_set:
        return limits
    return limits.model_copy(update={"connections": preset.limits.connections})


def _missing_of_relay(relay: RelayInput, preset: Preset) -> list[Problem]:
    given = {"host": relay.host, "port": relay.port, "security": relay.security}
    hosts = f" {preset.name} is at: {', '.join(preset.hosts)}." if preset.hosts else ""
    return [
        Problem(field=f"relay.{name}", text=f"The {name} is missing.{hosts if name == 'host' else ''}")
        for name, value in given.items()
        if value is None
    ]


def _missing_of_auth(auth: AuthInput, preset: Preset) -> list[Problem]:
    if auth.type != "password" or auth.username:
        return []
    what = f" With {preset.name} it is {preset.username_is}." if preset.username_is else ""
    return [Problem(field="auth.username", text=f"The username is missing.{what}")]
