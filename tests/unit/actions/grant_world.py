"""A mail account with a grant, and fakes of all that renewing it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

from tocsin.actions.renew_grant import RenewGrant
from tocsin.errors import AccountChanged, TransientError
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import Tokens, credential_version
from tocsin.model.mail_account import MailAccount
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def account(**grant: Any) -> MailAccount:  # noqa: ANN401  (fields of a grant's state)
    """A mail account whose token lasts for another hour, unless `grant` says otherwise."""
    state = {"version": 3, "renewed_at": NOW - HOUR / 60, "access_token_expires_at": NOW + HOUR} | grant
    return MailAccount.model_validate(
        {
            "project_id": "acme",
            "id": "A1",
            "version": 1,
            "name": "Ops",
            "status": "verified",
            "relay": {"host": "smtp.example.org", "port": 587, "security": "starttls"},
            "auth": {"type": "oauth2", "username": "ops", "oauth2": {"grant": "refresh_token", "client_id": "c"}},
            "senders": [{"email": "ops@acme.example"}],
            "credential_version": "v3",
            "grant": state,
        }
    )


def ending_on(end: datetime | None, **grant: Any) -> MailAccount:  # noqa: ANN401  (as above)
    """`account` with a client secret that ends on that day."""
    plain = account(**grant)
    assert plain.auth.oauth2 is not None
    day = end.date() if end is not None else None
    oauth2 = plain.auth.oauth2.model_copy(update={"client_secret_expires_on": day})
    return plain.model_copy(update={"auth": plain.auth.model_copy(update={"oauth2": oauth2})})


def secret(**changes: Any) -> AccountSecret:  # noqa: ANN401  (fields of a secret)
    """The secret of `account`, at the same version of the grant."""
    saved_for = {"host": "smtp.example.org", "port": 587, "security": "starttls", "username": "ops"}
    tokens = {"refresh_token": "old-refresh", "access_token": "old", "grant_version": 3, "account_version": 1}
    return AccountSecret.model_validate({"saved_for": saved_for} | tokens | changes)


DUE = {"renewed_at": NOW - HOUR, "access_token_expires_at": NOW + timedelta(minutes=9)}


@dataclass
class World:
    """Fakes of all that `RenewGrant` needs, true to their contracts."""

    account: MailAccount | None = field(default_factory=lambda: account(**DUE))
    secret: AccountSecret = field(default_factory=secret)
    tokens: Tokens | Exception = field(
        default_factory=lambda: Tokens(access_token="new", expires_at=NOW + HOUR, refresh_token="new-refresh")
    )
    put_fails: int = 0
    update_fails: bool = False
    requests: int = 0
    steps: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    refresh_at: datetime | None = None
    leased: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)
    seconds: float = 1000.0
    put_takes: float = 0.0
    reading_takes: float = 0.0

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        assert (project_id, account_id) == ("acme", "A1")
        return self.account

    def current_secret(self, of: MailAccount) -> AccountSecret:
        assert of is self.account
        self.seconds += self.reading_takes
        return self.secret

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        self.seconds += self.put_takes
        if self.put_fails:
            self.put_fails -= 1
            raise TransientError("throttled")
        self.steps.append("put")
        self.secret = new
        return credential_version(of.project_id, of.id, new.grant_version)

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        if self.update_fails or self.account is None or before.credential_version != self.account.credential_version:
            raise AccountChanged("changed")
        self.steps.append("update")
        self.account, self.refresh_at = after, refresh_at

    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        del holder, lasting
        with self.lock:
            taken = name not in self.leased
            self.leased.add(name)
        return taken

    def give_back(self, name: str, holder: str) -> None:
        del holder
        self.leased.remove(name)

    def renew(self, of: MailAccount, by: AccountSecret, *, now: datetime, deadline: float | None = None) -> Tokens:
        del deadline
        assert of is self.account
        assert by is self.secret
        assert now == NOW
        with self.lock:
            self.requests += 1
        if isinstance(self.tokens, Exception):
            raise self.tokens
        return self.tokens

    def account_changed(self, event: str, of: MailAccount) -> None:
        self.told.append(f"{event} {of.id}")

    def grant_lost(self, of: MailAccount) -> None:
        self.told.append(f"admins {of.id}")

    def pass_seconds(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def action(self) -> RenewGrant:
        holders = count()
        return RenewGrant(
            grants=self,
            leases=self,
            tokens=self,
            bus=self,
            admins=self,
            clock=lambda: NOW,
            monotonic=lambda: self.seconds,
            jitter=lambda: 0.5,
            pause=self.pass_seconds,
            new_holder=lambda: str(next(holders)),
        )


def failure(kind: type[TokenEndpointFailed | GrantRefused], *, wait_seconds: int | None = None) -> Exception:
    """What an identity provider's no looks like."""
    verdict = Verdict(
        failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Do this.", wait_seconds=wait_seconds
    )
    return kind(Reply(phase=Phase.AUTH, code=400, text="invalid_grant"), verdict)
