"""What is missing or wrong in an account's OAuth2 settings, said in words for its admin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tocsin.model.grant import GrantType, missing_scopes
from tocsin.model.identity_provider import MANY_TENANTS, Dialect
from tocsin.model.key_files import UnreadableKey, client_certificate, service_account_key
from tocsin.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tocsin.model.grant import OAuth2
    from tocsin.model.identity_provider import Preset
    from tocsin.model.mail_account import MailAccount

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OAUTH2 = "auth.oauth2"
_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # RFC 6749 section 3.3
_GRAPH_ID = "00000003-0000-0000-c000-000000000000"
_DEFAULT_PORTS = {"https": 443, "http": 80}
_URL_CHARACTERS = re.compile(r"[\x21-\x7e]{1,2000}")
_OURS = frozenset(
    {
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "assertion",
        "grant_type",
        "response_type",
        "response_mode",
        "redirect_uri",
        "scope",
        "state",
        "code",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "refresh_token",
        "request",
        "request_uri",
    }
)
"""Parameters that carry the protocol: whoever could set them could take it over."""


def settings_problems(account: MailAccount, presets: Mapping[str, Preset]) -> list[Problem]:
    """The problems of all that is not secret."""
    oauth2 = account.auth.oauth2
    if account.auth.type != "oauth2" or oauth2 is None:
        return [Problem(field=_OAUTH2, text="OAuth2 settings are missing.")]
    preset = presets.get(account.provider)
    if preset is None:
        return [Problem(field="provider", text=f"This provider has no OAuth2; those that have it: {_names(presets)}.")]
    return [
        *_of_client(account, oauth2),
        *_of_grant(oauth2, preset),
        *_of_transport(account, preset),
        *_of_endpoints(oauth2, preset),
        *_of_tenant(oauth2, preset),
        *_of_scopes(account, oauth2, preset),
        *_of_parameters(oauth2),
    ]


def secret_problems(oauth2: OAuth2, preset: Preset, secret_fields: Mapping[str, object]) -> list[Problem]:
    """The problems of the secrets: those that are missing for the grant, and those that cannot be read."""
    given = {name: value for name, value in secret_fields.items() if isinstance(value, str) and value}
    return [*_missing_secrets(oauth2, preset, given), *_unreadable_secrets(oauth2, given)]


def _of_client(account: MailAccount, oauth2: OAuth2) -> Iterator[Problem]:
    # The key file of a service account says whose it is; where it does not, that is a problem of the key.
    if oauth2.grant is not GrantType.JWT_BEARER and not oauth2.client_id.strip():
        yield Problem(field=f"{_OAUTH2}.client_id", text="The client id is missing.")
    if not account.auth.username:
        yield Problem(field="auth.username", text="The username is missing: the mailbox that signs in.")


def _of_grant(oauth2: OAuth2, preset: Preset) -> Iterator[Problem]:
    if oauth2.grant not in preset.grants:
        yield Problem(
            field=f"{_OAUTH2}.grant", text=f"{preset.name} does not have this grant, only: {_names(preset.grants)}."
        )


def _of_transport(account: MailAccount, preset: Preset) -> Iterator[Problem]:
    if preset.is_generic:
        if account.transport != "smtp":
            yield Problem(field="transport", text="A generic identity provider is for smtp only.")
        return
    access = preset.transports.get(account.transport)
    if access is None:
        yield Problem(field="transport", text=f"{preset.name} is for: {_names(preset.transports)}.")
    elif account.transport == "smtp" and account.relay.host.lower().rstrip(".") not in access.hosts:
        yield Problem(field="relay.host", text=f"Tokens of {preset.name} go only to: {_names(access.hosts)}.")


def _of_endpoints(oauth2: OAuth2, preset: Preset) -> Iterator[Problem]:
    typed = {
        "authorization_url": oauth2.authorization_url,
        "token_url": oauth2.token_url,
        "userinfo_url": oauth2.userinfo_url,
    }
    if not preset.is_generic:
        for name, url in typed.items():
            if url is not None:
                yield Problem(field=f"{_OAUTH2}.{name}", text=f"The endpoints of {preset.name} cannot be changed.")
        return
    if typed["token_url"] is None:
        yield Problem(field=f"{_OAUTH2}.token_url", text="The token URL is missing.")
    if typed["authorization_url"] is None and oauth2.grant is GrantType.AUTHORIZATION_CODE:
        yield Problem(field=f"{_OAUTH2}.authorization_url", text="The authorization URL is missing.")
    for name, url in typed.items():
        if url is not None and not _is_endpoint(url):
            yield Problem(
                field=f"{_OAUTH2}.{name}", text="This is not a URL of an endpoint, such as https://host.example/path."
            )
        elif url is not None and name == "authorization_url" and not _is_safe_for_browsers(url):
            yield Problem(field=f"{_OAUTH2}.{name}", text="Browsers are sent there, so it must be https.")


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = parts.username is None and parts.password is None and "#" not in url and "{" not in url
    return has_host and is_plain and parts.scheme in {"https", "http"} and bool(_URL_CHARACTERS.fullmatch(url))


def _is_safe_for_browsers(url: str) -> bool:
    """Whether nobody on the way can read or change what a browser sends there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _of_tenant(oauth2: OAuth2, preset: Preset) -> Iterator[Problem]:
    if preset.default_tenant is None:
        return
    tenant = oauth2.tenant_id or preset.default_tenant
    if not _TENANT.fullmatch(tenant) or ".." in tenant:
        yield Problem(field=f"{_OAUTH2}.tenant_id", text="The tenant id must be a GUID or a domain of the tenant.")
    elif tenant.lower() in MANY_TENANTS and not oauth2.grant.has_refresh_token:
        yield Problem(
            field=f"{_OAUTH2}.tenant_id", text="An application signs in to its own tenant: enter the tenant id."
        )


def _of_scopes(account: MailAccount, oauth2: OAuth2, preset: Preset) -> Iterator[Problem]:
    scopes = oauth2.scopes or ()
    path = f"{_OAUTH2}.scopes"
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        yield Problem(field=path, text="A scope holds no space, quote or letter outside ASCII; each is one entry.")
    if not all(_is_for(account.transport, scope, preset) for scope in missing_scopes(scopes, ())):
        yield Problem(field=path, text=f"A scope is not for {account.transport}; leave the scopes empty.")


def _is_for(transport: str, scope: str, preset: Preset) -> bool:
    """Whether a token of this scope may serve the transport; one of Entra opens a single resource and nothing else."""
    if preset.dialect is not Dialect.MICROSOFT:
        return _resource(scope) not in _resources(preset, preset.transports.keys() - {transport})
    if _is_of_graph_unsaid(scope):
        return transport == "graph"
    return transport not in preset.transports or _resource(scope) in _resources(preset, {transport})


def _resources(preset: Preset, transports: Iterable[str]) -> set[str]:
    accesses = [preset.transports[transport] for transport in transports]
    return {_resource(scope) for access in accesses for scope in (*access.delegated, *access.application)}


def _is_of_graph_unsaid(scope: str) -> bool:
    """Whether Entra takes the scope for one of Graph's, though it names no host."""
    resource, slash, _ = scope.partition("/")
    return not slash or resource.lower() == _GRAPH_ID


def _resource(scope: str) -> str:
    """What a token of this scope opens: the part before the permission, however it is written."""
    try:
        parts = urlsplit(scope)
        host, port = parts.hostname, parts.port
    except ValueError:
        return scope.lower()
    if host is None:
        return scope.lower()
    named = f"{parts.scheme}://{host.rstrip('.')}"
    return named if port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{named}:{port}"


def _of_parameters(oauth2: OAuth2) -> Iterator[Problem]:
    if taken := sorted(_OURS.intersection(name.lower() for name in oauth2.extra_parameters)):
        yield Problem(field=f"{_OAUTH2}.extra_parameters", text=f"These parameters are set by us: {', '.join(taken)}.")


def _missing_secrets(oauth2: OAuth2, preset: Preset, given: Mapping[str, str]) -> Iterator[Problem]:
    proof = {"client_secret", "client_certificate"} & given.keys()
    needs_proof = oauth2.grant is GrantType.CLIENT_CREDENTIALS or (
        preset.client_secret_required and oauth2.grant.has_refresh_token
    )
    if needs_proof and not proof:
        yield Problem(field=f"{_OAUTH2}.client_secret", text="A client secret or a client certificate is needed.")
    if len(proof) > 1:
        yield Problem(field=f"{_OAUTH2}.client_secret", text="Give a client secret or a client certificate, not both.")
    if oauth2.grant is GrantType.REFRESH_TOKEN and "refresh_token" not in given:
        yield Problem(field=f"{_OAUTH2}.refresh_token", text="The refresh token is missing.")
    if oauth2.grant is GrantType.JWT_BEARER and "service_account_key" not in given:
        yield Problem(field=f"{_OAUTH2}.service_account_key", text="The key of the service account is missing.")


def _unreadable_secrets(oauth2: OAuth2, given: Mapping[str, str]) -> Iterator[Problem]:
    if key := given.get("service_account_key"):
        try:
            email = service_account_key(key, email=oauth2.client_id).email
        except UnreadableKey as error:
            yield Problem(field=f"{_OAUTH2}.service_account_key", text=str(error))
        else:
            if "@" not in email:
                yield Problem(
                    field=f"{_OAUTH2}.client_id",
                    text="Paste the whole JSON key file, or enter the service account's e-mail address as client id.",
                )
    if certificate := given.get("client_certificate"):
        try:
            client_certificate(certificate)
        except UnreadableKey as error:
            yield Problem(field=f"{_OAUTH2}.client_certificate", text=str(error))


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
