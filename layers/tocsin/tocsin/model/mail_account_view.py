"""A mail account as an admin reads it: of its secrets only whether they are set, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tocsin.model.grant import OAuth2
from tocsin.model.mail_account import LastError, Limits, Mailbox, Relay
from tocsin.model.preset import AVAILABLE_TRANSPORTS
from tocsin.model.route import Route
from tocsin.model.version_tag import tag_of

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

_OF_AUTH = ("password",)
_OF_OAUTH2 = ("client_secret", "client_certificate", "service_account_key", "refresh_token")
_HIDDEN = {"credential_version", "secrets_set", "grant"}
_OF_GRANT = {"scopes", "identity", "consented_at", "access_token_expires_at", "refresh_token_expires_at"}
_FOUND_OUT = {"status", "verified_at", "last_error", "grant"}

type Status = Literal["not_verified", "verified", "reauthorization_required", "failing", "disabled", "not_available"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretView(_View):
    """That a secret is stored; its value is shown to nobody."""

    set: Literal[True]
    changed_at: AwareDatetime


class ProxyView(_View):
    """The proxy."""

    host: str
    port: int
    username: str | None
    password: SecretView | None


class RelayView(Relay):
    """The relay."""

    proxy: ProxyView | None  # type: ignore[assignment]  # with its password's stead, which the kept one has not


class OAuth2View(OAuth2):
    """The OAuth2 settings."""

    client_secret: SecretView | None
    client_certificate: SecretView | None
    service_account_key: SecretView | None
    refresh_token: SecretView | None


class AuthView(_View):
    """How the account logs in."""

    type: Literal["none", "password", "oauth2"]
    username: str | None
    password: SecretView | None
    oauth2: OAuth2View | None


class SenderView(_View):
    """A sender: `signature` as it was kept, and the same as text."""

    name: str | None
    email: str
    reply_to: str | None
    signature: str | None
    signature_text: str | None
    default: bool


class GrantView(_View):
    """What somebody, or the application itself, was permitted."""

    scopes: tuple[str, ...] | None
    identity: str | None
    consented_at: AwareDatetime | None
    access_token_expires_at: AwareDatetime | None
    refresh_token_expires_at: AwareDatetime | None


class MailAccountView(_View):
    """A mail account, with what was found out about it."""

    project_id: str
    id: str
    version: int
    name: str
    slug: str | None
    description: str | None
    location: str | None
    transport: Literal["smtp", "graph", "gmail", "ses"]
    provider: str
    enabled: bool
    paused: bool
    status: Status
    use_for: tuple[Route, ...]
    relay: RelayView
    auth: AuthView
    senders: Annotated[tuple[SenderView, ...], Field(min_length=1)]
    limits: Limits
    mailbox: Mailbox | None
    grant: GrantView | None
    verified_at: AwareDatetime | None
    last_error: LastError | None

    @classmethod
    def of(cls, account: MailAccount) -> Self:
        """The account as it is shown."""
        return cls.model_validate(view(account))


def view(account: MailAccount) -> dict[str, Any]:
    """The account as JSON has it (DESIGN 4.2)."""
    fields = account.model_dump(mode="json", exclude=_HIDDEN)
    auth, proxy = fields["auth"], fields["relay"]["proxy"]
    fields["use_for"] = sorted(fields["use_for"])
    fields["senders"] = [_sender(sender) for sender in fields["senders"]]
    auth |= {name: _shown(account, name) for name in _OF_AUTH}
    if auth["oauth2"] is not None:
        auth["oauth2"] |= {name: _shown(account, name) for name in _OF_OAUTH2}
    if proxy is not None:
        proxy["password"] = _shown(account, "proxy_password")
    return fields | {"status": status_of(account), "grant": _grant(account)}


def status_of(account: MailAccount) -> Status:
    """The status as it is shown: of an account that is switched off, or whose transport is to come, only that."""
    if not account.enabled:
        return "disabled"
    return account.status if account.transport in AVAILABLE_TRANSPORTS else "not_available"


def etag(account: MailAccount) -> str:
    """The strong entity tag of the account as it is shown."""
    return tag_of(account.version, account.model_dump_json(include=_FOUND_OUT | {"credential_version"}))


def _sender(sender: dict[str, Any]) -> dict[str, Any]:
    text = sender["signature"]
    return {name: value for name, value in sender.items() if name != "signature_html"} | {
        "signature": sender["signature_html"] or text,
        "signature_text": text,
    }


def _grant(account: MailAccount) -> dict[str, Any] | None:
    if account.grant is None or account.grant.version == 0:  # nobody has consented to what stands now
        return None
    return account.grant.model_dump(mode="json", include=_OF_GRANT)


def _shown(account: MailAccount, name: str) -> dict[str, Any] | None:
    changed_at = account.secrets_set.get(name)
    return None if changed_at is None else {"set": True, "changed_at": changed_at.isoformat().replace("+00:00", "Z")}
