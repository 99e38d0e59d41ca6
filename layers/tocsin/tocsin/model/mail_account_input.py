"""A mail account as an admin writes it (DESIGN 4.2): its settings and, among them, its secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from tocsin.errors import PermanentError
from tocsin.model.address import parse_address
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import OAuth2
from tocsin.model.identity_provider import Problem
from tocsin.model.mail_account import (
    Auth,
    Host,
    Limits,
    MailAccount,
    Mailbox,
    Port,
    Proxy,
    RelayOptions,
    Security,
    Sender,
)
from tocsin.model.route import Route
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from datetime import datetime

_SECRET_CHARACTERS = 20_000  # all of an account's secrets fit in Secrets Manager's 64 KiB
_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _as_text(value: object) -> object:
    """Google's key file, which may come as JSON or as the text of it."""
    return json.dumps(value) if isinstance(value, dict) else value


Secret = Annotated[SecretStr, Field(min_length=1, max_length=_SECRET_CHARACTERS)]
KeyFile = Annotated[Secret, BeforeValidator(_as_text)]


class ProxyInput(Proxy):
    """The proxy with its password."""

    model_config = _STRICT

    password: Secret | None = None


class RelayInput(RelayOptions):
    """The relay with its proxy's password. What is left out, the provider's preset has (`preset_filling`)."""

    model_config = _STRICT

    host: Host | None = None
    port: Port | None = None
    security: Security | None = None
    proxy: ProxyInput | None = None


class OAuth2Input(OAuth2):
    """The OAuth2 settings with their secrets. A service account's client id is in its key file."""

    model_config = _STRICT

    client_id: str = ""
    client_secret: Secret | None = None
    client_certificate: Secret | None = None
    service_account_key: KeyFile | None = None
    refresh_token: Secret | None = None


class AuthInput(Auth):
    """How the account logs in, with what is secret in it."""

    model_config = _STRICT

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
        if self.type == "password" and self.password is None:
            raise ValueError("type password needs a password")
        return self


class SenderInput(Sender):
    """A sender."""

    model_config = _STRICT

    @model_validator(mode="after")
    def _fits_in_headers(self) -> Self:
        for name in ("email", "reply_to"):
            _check_address(name, getattr(self, name))
        if self.name is not None and not self.name.isprintable():
            raise ValueError("name holds a line end or another control character")
        return self


class LimitsInput(Limits):
    """Limits; each at least one."""

    model_config = _STRICT

    per_minute: Annotated[int, Field(ge=1)] | None = None
    per_day: Annotated[int, Field(ge=1)] | None = None
    per_month: Annotated[int, Field(ge=1)] | None = None


class MailboxInput(Mailbox):
    """The mailbox of bounces."""

    model_config = _STRICT


class MailAccountInput(BaseModel):
    """All that an admin may write of a mail account."""

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=200)]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    provider: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] = "generic"
    transport: Literal["smtp", "graph", "gmail", "ses"] = "smtp"
    enabled: bool = True
    paused: bool = False
    use_for: frozenset[Route] = frozenset(Route)
    location: Annotated[str, Field(max_length=60)] | None = None
    relay: RelayInput = RelayInput()
    auth: AuthInput
    senders: Annotated[tuple[SenderInput, ...], Field(min_length=1, max_length=50)]
    limits: LimitsInput = LimitsInput()
    mailbox: MailboxInput | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """The mail account that a request's body describes.

        Raises:
            InvalidSettings: it describes none; every field that is wrong is named, no value is.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            raise InvalidSettings([_problem(problem) for problem in problems]) from None

    def account(self, project_id: str, account_id: str, *, at: datetime) -> MailAccount:
        """The account as it is kept, without its secrets; nothing that it needs is left out any more."""
        fields = self.model_dump(mode="json", exclude=_SECRETS)
        return MailAccount.model_validate(
            fields
            | {"project_id": project_id, "id": account_id, "version": 1}
            | {"secrets_set": dict.fromkeys(self.secrets(), at)}
        )

    def secrets(self) -> dict[str, SecretStr]:
        """What is secret, by the names of `AccountSecret`."""
        oauth2, proxy = self.auth.oauth2, self.relay.proxy
        found = {
            "password": self.auth.password,
            "proxy_password": proxy.password if proxy else None,
            "client_secret": oauth2.client_secret if oauth2 else None,
            "client_certificate": oauth2.client_certificate if oauth2 else None,
            "service_account_key": oauth2.service_account_key if oauth2 else None,
            "refresh_token": oauth2.refresh_token if oauth2 else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def secret(self, account: MailAccount) -> AccountSecret | None:
        """What goes to Secrets Manager, bound to `account`; None where nothing is secret, now or later."""
        secrets = self.secrets()
        if not secrets and self.auth.type != "oauth2":
            return None
        return AccountSecret.model_validate({"saved_for": account.secret_binding, **secrets})


_SECRETS: Any = {
    "auth": {
        "password": True,
        "oauth2": {"client_secret", "client_certificate", "service_account_key", "refresh_token"},
    },
    "relay": {"proxy": {"password"}},
}


def _check_address(name: str, address: str | None) -> None:
    try:
        if address is not None:
            parse_address(address)
    except PermanentError:
        raise ValueError(f"{name} is no e-mail address") from None


def _problem(problem: Any) -> Problem:  # noqa: ANN401  (pydantic's own dictionary)
    field = ".".join(str(part) for part in problem["loc"])
    return Problem(field=field or "(body)", text=problem["msg"].removeprefix("Value error, "))
