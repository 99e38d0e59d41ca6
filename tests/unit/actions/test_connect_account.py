"""Connecting an account while others work on it, and while the stores fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.connect_account import ConnectAccount, Disagreement
from tocsin.data.identity_providers import identity_provider_for
from tocsin.errors import AccountChanged, GrantBusy, TransientError
from tocsin.model.authorization import Outcome
from tocsin.model.credential import AccountSecret, SecretBinding
from tocsin.model.grant import GrantState, GrantType, OAuth2, Tokens
from tocsin.model.mail_account import Auth, MailAccount, Relay, Security, Sender

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.audit import AuditEntry

TOKENS = Tokens(access_token="new-access", refresh_token="new-refresh", expires_at=NOW + timedelta(hours=1))
ACCOUNT = MailAccount(
    project_id="acme",
    id="01JD7Z0000000000000000ACME",
    version=1,
    name="Ops",
    relay=Relay(host="relay.example.org", port=587, security=Security.STARTTLS),
    auth=Auth(
        type="oauth2",
        username="ops@acme.example",
        oauth2=OAuth2(
            grant=GrantType.AUTHORIZATION_CODE,
            client_id="app",
            authorization_url="https://login.example/authorize",
            token_url="https://login.example/token",
            scopes=("mail",),
        ),
    ),
    senders=(Sender(email="ops@acme.example"),),
    credential_version="first",
)
SECRET = AccountSecret(saved_for=SecretBinding(host="relay.example.org", port=587, security="starttls"))


@dataclass(slots=True)
class FakeGrants:
    """One account with its secret; `failures` are raised by the first puts."""

    account: MailAccount | None = ACCOUNT
    secret: AccountSecret = SECRET
    failures: list[Exception] = field(default_factory=list)
    edited_at_last: bool = False
    written: list[tuple[MailAccount, datetime | None]] = field(default_factory=list)
    puts: list[AccountSecret] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The account."""
        assert (project_id, account_id) == (ACCOUNT.project_id, ACCOUNT.id)
        return self.account

    def current_secret(self, account: MailAccount) -> AccountSecret:
        """Its secret."""
        del account
        return self.secret

    def put_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        """Keep it, or fail."""
        del account
        if self.failures:
            raise self.failures.pop(0)
        self.puts.append(secret)
        return f"version-{secret.grant_version}"

    def update(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None) -> None:
        """Nothing is written that nobody remembers."""
        raise NotImplementedError

    def store(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None, entry: AuditEntry) -> None:
        """Keep what is written, unless an admin was faster."""
        if self.edited_at_last:
            raise AccountChanged("edited")
        assert before.credential_version == "first"
        self.written.append((after, refresh_at))
        self.entries.append(entry)


@dataclass(slots=True)
class FakeLeases:
    """One lease, which others hold for the first `busy` tries."""

    busy: int = 0
    held_by: str | None = None

    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        """Take it."""
        assert name == f"grant#acme#{ACCOUNT.id}"
        assert lasting >= timedelta(seconds=30)
        self.busy -= 1
        if self.busy >= 0:
            return False
        self.held_by = holder
        return True

    def give_back(self, name: str, holder: str) -> None:
        """Give it back."""
        del name
        assert self.held_by == holder
        self.held_by = None


@dataclass(slots=True)
class FakeProviders:
    """Gives the tokens, and names the user; `meanwhile` happens while it does."""

    meanwhile: Callable[[], None] = lambda: None
    user: str | None = None
    codes: list[str] = field(default_factory=list)

    def redeem(
        self,
        account: MailAccount,
        secret: AccountSecret,
        *,
        code: str,
        code_verifier: str,
        redirect_uri: str,
        now: datetime,
        deadline: float,
    ) -> Tokens:
        """The tokens."""
        del account, secret, code_verifier, redirect_uri, now, deadline
        self.codes.append(code)
        self.meanwhile()
        return TOKENS

    def identity(self, account: MailAccount, tokens: Tokens, *, deadline: float) -> str | None:
        """Who signed in."""
        del account, tokens, deadline
        return self.user


def _with(**changes: Any) -> MailAccount:  # noqa: ANN401  (settings of OAuth2)
    assert ACCOUNT.auth.oauth2 is not None
    oauth2 = ACCOUNT.auth.oauth2.model_copy(update=changes)
    return ACCOUNT.model_copy(update={"auth": ACCOUNT.auth.model_copy(update={"oauth2": oauth2})})


def _connect(grants: FakeGrants, providers: FakeProviders, leases: FakeLeases, **changes: Any) -> MailAccount:  # noqa: ANN401  (settings of OAuth2)
    connect = ConnectAccount(
        grants=grants,
        consents=grants,
        leases=leases,
        providers=providers,
        provider_of=identity_provider_for,
        clock=lambda: NOW,
        jitter=lambda: 0.5,
        pause=lambda _: None,
        new_holder=lambda: "us",
    )
    return connect(
        _with(**changes),
        admin="admin-1",
        code="code",
        code_verifier="verifier",
        redirect_uri="https://x.example/",
        deadline=1.0,
    )


def test_it_is_remembered_who_consented_to_what() -> None:
    grants = FakeGrants()

    _connect(grants, FakeProviders(), FakeLeases())

    [entry] = grants.entries
    assert (entry.admin, entry.action, entry.subject) == ("admin-1", "mail_account.consented", ACCOUNT.id)
    assert (entry.project_id, entry.at, entry.fields) == (ACCOUNT.project_id, NOW, ("grant",))


def test_both_tokens_are_written_once_before_the_account_names_them() -> None:
    grants, leases = FakeGrants(), FakeLeases()

    account = _connect(grants, FakeProviders(), leases)

    [secret] = grants.puts
    [(written, refresh_at)] = grants.written
    assert secret.access_token is not None
    assert secret.refresh_token is not None
    assert (secret.access_token.get_secret_value(), secret.refresh_token.get_secret_value()) == (
        "new-access",
        "new-refresh",
    )
    assert written == account
    assert (account.credential_version, account.status) == ("version-1", "not_verified")
    assert account.grant is not None
    assert (account.grant.version, account.grant.scopes, account.grant.consented_at) == (1, ("mail",), NOW)
    assert secret.account_version == account.version
    assert refresh_at is not None
    assert NOW < refresh_at < TOKENS.expires_at
    assert leases.held_by is None


@pytest.mark.parametrize(
    ("known", "stored", "next_version"), [(4, 4, 5), (4, 5, 6), (0, 0, 1)], ids=["equal", "secret-ahead", "first"]
)
def test_a_new_consent_never_takes_the_number_of_a_version_that_is_stored(
    known: int, stored: int, next_version: int
) -> None:
    account = ACCOUNT.model_copy(update={"grant": GrantState(version=known)})
    grants = FakeGrants(account, SECRET.model_copy(update={"grant_version": stored}))

    connected = _connect(grants, FakeProviders(), FakeLeases())

    assert connected.grant is not None
    assert connected.grant.version == grants.puts[0].grant_version == next_version


@pytest.mark.parametrize("now_there", [None, ACCOUNT.model_copy(update={"version": 2})], ids=["deleted", "edited"])
def test_an_account_that_changes_during_the_exchange_gets_nothing(now_there: MailAccount | None) -> None:
    grants, leases = FakeGrants(), FakeLeases()

    def change() -> None:
        grants.account = now_there

    with pytest.raises(AccountChanged):
        _connect(grants, FakeProviders(change), leases)

    assert (grants.puts, grants.written, leases.held_by) == ([], [], None)


def test_a_busy_store_is_asked_again_with_the_code_redeemed_once() -> None:
    grants, providers = FakeGrants(failures=[TransientError("busy")] * 2), FakeProviders()

    _connect(grants, providers, FakeLeases())

    assert (len(grants.puts), providers.codes) == (1, ["code"])


def test_a_store_that_stays_busy_ends_it_and_the_account_names_nothing_new() -> None:
    grants, leases = FakeGrants(failures=[TransientError("busy")] * 20), FakeLeases()

    with pytest.raises(TransientError):
        _connect(grants, FakeProviders(), leases)

    assert (grants.written, leases.held_by) == ([], None)


def test_a_renewal_that_is_under_way_is_waited_for() -> None:
    grants = FakeGrants()

    _connect(grants, FakeProviders(), FakeLeases(busy=2))

    assert len(grants.written) == 1


def test_a_renewal_that_does_not_end_leaves_the_code_alone() -> None:
    providers = FakeProviders()

    with pytest.raises(GrantBusy):
        _connect(FakeGrants(), providers, FakeLeases(busy=99))

    assert providers.codes == []


def test_an_account_that_is_edited_after_its_tokens_were_stored_does_not_name_them() -> None:
    grants, leases = FakeGrants(edited_at_last=True), FakeLeases()

    with pytest.raises(AccountChanged):
        _connect(grants, FakeProviders(), leases)

    assert [secret.account_version for secret in grants.puts] == [1]  # which is not the edited account's
    assert (grants.written, leases.held_by) == ([], None)


_USERINFO = {"userinfo_url": "https://login.example/userinfo"}
_OPENID = {"scopes": ("openid", "mail")}


@pytest.mark.parametrize("changes", [_USERINFO, _OPENID, _USERINFO | _OPENID], ids=["userinfo", "openid", "both"])
def test_a_provider_that_should_name_the_user_and_does_not_is_not_believed(changes: dict[str, Any]) -> None:
    grants = FakeGrants()

    with pytest.raises(Disagreement) as disagreement:
        _connect(grants, FakeProviders(), FakeLeases(), **changes)

    assert disagreement.value.outcome is Outcome.USER_NOT_NAMED
    assert (grants.puts, grants.written) == ([], [])


@pytest.mark.parametrize("changes", [{}, _USERINFO], ids=["not-asked-to-name-anybody", "userinfo"])
def test_a_user_who_is_named_must_be_the_account_s(changes: dict[str, Any]) -> None:
    grants = FakeGrants()

    with pytest.raises(Disagreement) as disagreement:
        _connect(grants, FakeProviders(user="eve@acme.example"), FakeLeases(), **changes)

    assert (disagreement.value.outcome, disagreement.value.found) == (Outcome.OTHER_USER, "eve@acme.example")
    assert (grants.puts, grants.written) == ([], [])


def test_the_user_who_signed_in_is_kept_as_the_provider_writes_it() -> None:
    account = _connect(FakeGrants(), FakeProviders(user="OPS@acme.example"), FakeLeases(), **_USERINFO)

    assert account.grant is not None
    assert account.grant.identity == "OPS@acme.example"
