"""What in an account's settings goes against its provider's preset, said in words for its admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tocsin.model.mail_account import MailAccount, Relay
    from tocsin.model.preset import AuthType, Preset, Transport

_TAKEN_BY: Mapping[Transport, tuple[AuthType, ...]] = {"graph": ("oauth2",), "gmail": ("oauth2",), "ses": ("none",)}
"""How an account logs in where that is no matter of the provider's relay: SES knows the role of the functions."""


def preset_problems(account: MailAccount, preset: Preset) -> list[Problem]:
    """The problems of the fields that the preset locks."""
    return [*_of_transport(account, preset), *_of_relay(account.relay, preset), *_of_auth(account, preset)]


def _of_transport(account: MailAccount, preset: Preset) -> Iterator[Problem]:
    if account.transport not in preset.transports:
        yield Problem(field="transport", text=f"{preset.name} is for: {_names(preset.transports)}.")


def _of_relay(relay: Relay, preset: Preset) -> Iterator[Problem]:
    if "relay.host" in preset.locked and not preset.has_host(relay.host):
        text = f"{preset.name} is at: {_names(preset.hosts)}. For another server choose the provider generic."
        yield Problem(field="relay.host", text=text)
    if "relay.port" not in preset.locked or (relay.port, relay.security) in preset.ports:
        return
    knows_port = any(port == relay.port for port, _ in preset.ports)
    known = _names(f"{port} with {security}" for port, security in preset.ports)
    yield Problem(field="relay.security" if knows_port else "relay.port", text=f"{preset.name} listens on: {known}.")


def _of_auth(account: MailAccount, preset: Preset) -> Iterator[Problem]:
    auth, taken = account.auth, preset.auth_types
    if account.transport in preset.transports:
        taken = _TAKEN_BY.get(account.transport, taken)
    if auth.type not in taken:
        yield Problem(field="auth.type", text=f"{preset.name} takes by {account.transport}: {_names(taken)}.")
    elif auth.oauth2 is not None and auth.oauth2.grant not in preset.grants:
        text = f"{preset.name} does not have this grant, only: {_names(preset.grants)}."
        yield Problem(field="auth.oauth2.grant", text=text)
    if preset.username is not None and auth.type == "password" and auth.username != preset.username:
        yield Problem(field="auth.username", text=f"With {preset.name} the username is always {preset.username}.")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
