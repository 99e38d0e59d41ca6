"""A mail account: how a project sends (DESIGN 4.2, without its secrets)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tocsin.model.address import parse_address
from tocsin.model.credential import AccountSecret, SecretBinding
from tocsin.model.grant import GrantState, OAuth2
from tocsin.model.route import Route

if TYPE_CHECKING:
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

Host = Annotated[str, Field(min_length=1, max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Security(StrEnum):
    """How the connection to the relay is protected."""

    TLS = "tls"  # implicit TLS from the first octet (RFC 8314 section 3.3)
    STARTTLS = "starttls"  # RFC 3207, required: never a fall-back to clear text
    NONE = "none"


class Proxy(_Settings):
    """An HTTP proxy that relays are reached through by CONNECT. Its password is in the account's secret."""

    host: str
    port: Port
    username: str | None = None

    @property
    def binding(self) -> str:
        """What a password for it is bound to; no host holds an @."""
        return f"{f'{self.username}@' if self.username is not None else ''}{self.host.lower()}:{self.port}"


class RelayOptions(_Settings):
    """How a relay is spoken to, whichever it is.

    `ehlo_hostname` defaults to the sender's domain; `timeout_seconds` bounds each phase of a submission;
    `ca_certificate` is a PEM bundle that replaces the public roots.
    """

    min_tls_version: Literal["1.2", "1.3"] = "1.2"
    ehlo_hostname: str | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] = 30
    ca_certificate: str | None = None
    proxy: Proxy | None = None


class Relay(RelayOptions):
    """The submission server a project chose."""

    host: Host
    port: Port
    security: Security


class Auth(_Settings):
    """How the account logs in. What is secret in it lives in Secrets Manager."""

    type: Literal["none", "password", "oauth2"]
    username: str | None = None
    oauth2: OAuth2 | None = None


class Sender(_Settings):
    """Who the mail is from, as people see it. `signature` is text; `signature_html` says the same in harmless HTML."""

    name: str | None = None
    email: str
    reply_to: str | None = None
    signature: str | None = None
    signature_html: str | None = None
    default: bool = False

    @property
    def domain(self) -> str:
        """The A-label of the sender's domain."""
        return parse_address(self.email).domain


class Limits(_Settings):
    """What the account may use up. None means no limit."""

    connections: Annotated[int, Field(ge=1, le=100)] = 2
    per_minute: int | None = None
    per_day: int | None = None
    per_month: int | None = None


class Mailbox(_Settings):
    """Where bounces and replies come back to (IMAP)."""

    host: Host
    port: Port
    security: Security
    folder: str = "INBOX"
    purpose: tuple[str, ...] = ("bounces",)


class LastError(_Settings):
    """The last failure that an admin should know of. `text` is what the other side said, `remedy` what to do."""

    at: AwareDatetime
    phase: str
    code: int | None = None
    text: str
    remedy_id: str
    remedy: str

    @classmethod
    def of(cls, reply: "Reply", verdict: "Verdict", *, at: datetime) -> Self:
        """What an admin is shown of a reply that was judged so."""
        return cls(
            at=at,
            phase=reply.phase.value,
            code=reply.code,
            text=reply.text,
            remedy_id=verdict.remedy_id,
            remedy=verdict.remedy,
        )


class MailAccount(_Settings):
    """One way for a project to send.

    `version` grows with every change of the settings, `credential_version` names the version of its secret (None: it
    has none), `secrets_set` says when an admin last wrote which part of it. `status`, `grant`, `verified_at` and
    `last_error` are what we found out, not what an admin wrote.
    """

    project_id: str
    id: str
    version: int
    name: str
    slug: str | None = None
    description: str | None = None
    location: str | None = None
    transport: Literal["smtp", "graph", "gmail", "ses"] = "smtp"
    provider: str = "generic"
    enabled: bool = True
    paused: bool = False
    status: Literal["not_verified", "verified", "reauthorization_required", "failing", "disabled"] = "not_verified"
    use_for: frozenset[Route] = frozenset(Route)
    relay: Relay
    auth: Auth
    senders: Annotated[tuple[Sender, ...], Field(min_length=1)]
    limits: Limits = Limits.model_construct()
    mailbox: Mailbox | None = None
    secrets_set: Mapping[str, AwareDatetime] = {}
    credential_version: str | None = None
    grant: GrantState | None = None
    verified_at: AwareDatetime | None = None
    last_error: LastError | None = None

    @property
    def default_sender(self) -> Sender:
        """The sender marked as default, else the first."""
        return next((sender for sender in self.senders if sender.default), self.senders[0])

    def sender(self, email: str | None) -> Sender:
        """The sender with this address, else the default one."""
        return next((sender for sender in self.senders if sender.email == email), self.default_sender)

    @property
    def username(self) -> str:
        """Who logs in at the relay: as set, else the default sender."""
        return self.auth.username or self.default_sender.email

    @property
    def secret_binding(self) -> SecretBinding:
        """What a secret that is saved for the account as it is now is bound to."""
        proxy, oauth2, mailbox = self.relay.proxy, self.auth.oauth2, self.mailbox
        return SecretBinding(
            host=self.relay.host.lower(),
            port=self.relay.port,
            security=self.relay.security.value,
            username=self.username,
            proxy=proxy.binding if proxy is not None else None,
            identity_provider=f"{self.provider} {oauth2.endpoint}" if oauth2 is not None else None,
            mailbox=f"{mailbox.host.lower()}:{mailbox.port} {mailbox.security}" if mailbox is not None else None,
        )

    def may_use(self, secret: AccountSecret) -> bool:
        """Whether the secret was saved for the account as it is now; else it would go to somebody else."""
        bound = secret.saved_for
        return bound.model_copy(update={"host": bound.host.lower()}) == self.secret_binding

    @property
    def ehlo_hostname(self) -> str:
        """The name that EHLO says: as set, else the default sender's domain; never `localhost`."""
        return self.relay.ehlo_hostname or self.default_sender.domain
