"""A mail account as an admin writes it (DESIGN 4.2): its settings and, among them, its secrets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from tocsin.errors import PermanentError
from tocsin.model.address import parse_address
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import OAuth2
from tocsin.model.mail_account import Auth, Limits, MailAccount, Mailbox, Port, Proxy, RelayOptions, Security, Sender
from tocsin.model.moments import WrittenDay  # noqa: TC001  (pydantic reads the annotation)
from tocsin.model.route import Route
from tocsin.model.signature import sanitised, text_of
from tocsin.model.written import STRICT, Written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SECRETS: Mapping[str, tuple[str, ...]] = {
    "password": ("auth", "password"),
    "proxy_password": ("relay", "proxy", "password"),
    "client_secret": ("auth", "oauth2", "client_secret"),
    "client_certificate": ("auth", "oauth2", "client_certificate"),
    "service_account_key": ("auth", "oauth2", "service_account_key"),
    "refresh_token": ("auth", "oauth2", "refresh_token"),
}
"""Where each secret of `AccountSecret` stands in the document."""

_SECRET_CHARACTERS = 20_000  # all of an account's secrets fit in Secrets Manager's 64 KiB
_MOST = 1_000_000_000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _as_text(value: object) -> object:
    """Google's key file, which may come as JSON or as the text of it."""
    return json.dumps(value) if isinstance(value, dict) else value


def _printable(text: str) -> str:
    if _CONTROLS.search(text):
        raise ValueError("it holds a line end or another control character")
    return text


def _address(text: str) -> str:
    try:
        parse_address(text)
    except PermanentError:
        raise ValueError("it is no e-mail address") from None
    return text


Secret = Annotated[SecretStr, Field(min_length=1, max_length=_SECRET_CHARACTERS)]
KeyFile = Annotated[Secret, BeforeValidator(_as_text, json_schema_input_type=str | dict[str, Any])]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
HostInput = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\s/\\@?#]+$"), AfterValidator(_printable)]
Username = Annotated[str, Field(min_length=1, max_length=320), AfterValidator(_printable)]
Address = Annotated[str, Field(min_length=3, max_length=320), AfterValidator(_address)]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
Scope = Annotated[str, Field(min_length=1, max_length=255)]
Parameter = Annotated[str, Field(max_length=500)]
Limit = Annotated[int, Field(ge=1, le=_MOST)]


class ProxyInput(Proxy):
    """The proxy with its password."""

    model_config = STRICT

    host: HostInput
    username: Username | None = None
    password: Secret | None = None


class RelayInput(RelayOptions):
    """The relay with its proxy's password. What is left out, the provider's preset has (`preset_filling`)."""

    model_config = STRICT

    host: HostInput | None = None
    port: Port | None = None
    security: Security | None = None
    ehlo_hostname: HostInput | None = None
    ca_certificate: Annotated[str, Field(max_length=40_000, pattern=r"-----BEGIN CERTIFICATE-----")] | None = None
    proxy: ProxyInput | None = None


class OAuth2Input(OAuth2):
    """The OAuth2 settings with their secrets. A service account's client id is in its key file."""

    model_config = STRICT

    tenant_id: Annotated[str, Field(max_length=253)] | None = None
    client_id: Annotated[str, Field(max_length=255)] = ""
    authorization_url: Url | None = None
    token_url: Url | None = None
    userinfo_url: Url | None = None
    scopes: Annotated[tuple[Scope, ...], Field(max_length=50)] | None = None
    extra_parameters: Annotated[dict[Parameter, Parameter], Field(max_length=20, default_factory=dict)]
    client_secret: Secret | None = None
    client_certificate: Secret | None = None
    service_account_key: KeyFile | None = None
    refresh_token: Secret | None = None
    client_secret_expires_on: WrittenDay | None = None


class AuthInput(Auth):
    """How the account logs in, with what is secret in it."""

    model_config = STRICT

    username: Username | None = None
    password: Secret | None = None
    oauth2: OAuth2Input | None = None

    @model_validator(mode="after")
    def _is_of_one_type(self) -> Self:
        if self.type == "oauth2" and self.oauth2 is None:
            raise ValueError("type oauth2 needs the object oauth2")
        if self.type != "oauth2" and self.oauth2 is not None:
            raise ValueError("the object oauth2 goes with type oauth2 only")
        if self.type != "password" and self.password is not None:
            raise ValueError("a password goes with type password only")
        return self


class SenderInput(Sender):
    """A sender. The signature is HTML, of which a safe subset is kept."""

    model_config = STRICT

    name: Name | None = None
    email: Address
    reply_to: Address | None = None
    signature: Annotated[str, Field(max_length=20_000)] | None = None


class LimitsInput(Limits):
    """Limits; each at least one."""

    model_config = STRICT

    per_minute: Limit | None = None
    per_day: Limit | None = None
    per_month: Limit | None = None


class MailboxInput(Mailbox):
    """The mailbox of bounces."""

    model_config = STRICT

    host: HostInput
    folder: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)] = "INBOX"
    purpose: Annotated[tuple[Literal["bounces", "inbound"], ...], Field(min_length=1, max_length=2)] = ("bounces",)


class MailAccountInput(Written):
    """All that an admin may write of a mail account.

    A secret that is left out stays as it is, where there is one; null takes it away.
    """

    name: Name
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    provider: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] = "generic"
    transport: Literal["smtp", "graph", "gmail", "ses"] = "smtp"
    enabled: bool = True
    paused: bool = False
    use_for: frozenset[Route] = frozenset(Route)
    location: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")] | None = None
    relay: RelayInput = RelayInput()
    auth: AuthInput
    senders: Annotated[tuple[SenderInput, ...], Field(min_length=1, max_length=50)]
    limits: LimitsInput = LimitsInput()
    mailbox: MailboxInput | None = None

    @model_validator(mode="after")
    def _has_senders_that_can_be_told_apart(self) -> Self:
        addresses = [sender.email.casefold() for sender in self.senders]
        if len(set(addresses)) < len(addresses):
            raise ValueError("two senders have the same address")
        if sum(sender.default for sender in self.senders) > 1:
            raise ValueError("more than one sender is the default")
        return self

    def account(self, project_id: str, account_id: str, *, at: datetime) -> MailAccount:
        """The account as it is kept, without its secrets; nothing that it needs is left out any more."""
        fields = self.model_dump(mode="json", exclude=_HIDDEN)
        fields["senders"] = [_kept_sender(sender) for sender in self.senders]
        if not any(sender["default"] for sender in fields["senders"]):
            fields["senders"][0]["default"] = True
        return MailAccount.model_validate(
            fields
            | {"project_id": project_id, "id": account_id, "version": 1}
            | {"secrets_set": dict.fromkeys(self.secrets(), at)}
        )

    def secrets(self) -> dict[str, SecretStr]:
        """What is secret and given, by the names of `AccountSecret`."""
        return {name: value for name, value in self._said_of_secrets().items() if value is not None}

    def cleared(self) -> frozenset[str]:
        """The secrets that are to be taken away."""
        return frozenset(name for name, value in self._said_of_secrets().items() if value is None)

    def secret(self, account: MailAccount) -> AccountSecret | None:
        """What goes to Secrets Manager, bound to `account`; None where nothing is secret, now or later."""
        secrets = self.secrets()
        if not secrets and self.auth.type != "oauth2":
            return None
        return AccountSecret.model_validate({"saved_for": account.secret_binding, **secrets})

    def _said_of_secrets(self) -> dict[str, SecretStr | None]:
        """Each secret that is mentioned, be it null."""
        found: dict[str, SecretStr | None] = {}
        for name, path in SECRETS.items():
            part: Any = self
            for step in path[:-1]:
                part = getattr(part, step) if part is not None else None
            if part is not None and path[-1] in part.model_fields_set:
                found[name] = getattr(part, path[-1])
        return found


def _kept_sender(sender: SenderInput) -> dict[str, Any]:
    signature = sanitised(sender.signature) if sender.signature else None
    text = text_of(signature) if signature else None
    return sender.model_dump(mode="json", exclude={"signature"}) | {"signature": text, "signature_html": signature}


_HIDDEN: Any = {
    "auth": {
        "password": True,
        "oauth2": {"client_secret", "client_certificate", "service_account_key", "refresh_token"},
    },
    "relay": {"proxy": {"password"}},
}
