"""Renewing a grant: one worker, one request, and tokens that are stored before they are used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier, Lock
from typing import Any

import pytest
from pydantic import SecretStr
from tocsin.actions.renew_grant import RenewGrant
from tocsin.errors import AccountChanged, GrantBusy, SecretUnavailable, TransientError
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import Tokens, credential_version
from tocsin.model.mail_account import LastError, MailAccount
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
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


def secret(**changes: Any) -> AccountSecret:  # noqa: ANN401  (fields of a secret)
    """The secret of `account`, at the same version of the grant."""
    saved_for = {"host": "smtp.example.org", "port": 587, "security": "starttls", "username": "ops"}
    fields = {"saved_for": saved_for, "refresh_token": "old-refresh", "access_token": "old", "grant_version": 3}
    return AccountSecret.model_validate(fields | changes)


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

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        assert (project_id, account_id) == ("acme", "A1")
        return self.account

    def current_secret(self, of: MailAccount) -> AccountSecret:
        assert of is self.account
        return self.secret

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
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
            jitter=lambda: 0.5,
            pause=lambda _: None,
            new_holder=lambda: str(next(holders)),
        )


def failure(kind: type[TokenEndpointFailed | GrantRefused], *, wait_seconds: int | None = None) -> Exception:
    """What an identity provider's no looks like."""
    verdict = Verdict(
        failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Do this.", wait_seconds=wait_seconds
    )
    return kind(Reply(phase=Phase.AUTH, code=400, text="invalid_grant"), verdict)


def test_both_tokens_are_stored_in_one_version_before_the_settings_name_it() -> None:
    world = World()

    renewed = world.action("acme", "A1")

    assert world.steps == ["put", "update"]
    assert world.secret.refresh_token == SecretStr("new-refresh")
    assert world.secret.access_token == SecretStr("new")
    assert world.secret.grant_version == 4
    assert renewed.credential_version == credential_version("acme", "A1", 4)
    assert world.account is renewed
    assert world.leased == set()


def test_a_refresh_token_that_is_not_given_again_is_kept() -> None:
    world = World(tokens=Tokens(access_token="new", expires_at=NOW + HOUR))

    world.action("acme", "A1")

    assert world.secret.refresh_token == SecretStr("old-refresh")


def test_a_grant_that_is_not_due_is_left_alone() -> None:
    world = World(account=account())

    assert world.action("acme", "A1") is world.account
    assert world.requests == 0


def test_a_refused_token_is_renewed_although_it_is_not_due_but_only_once() -> None:
    world = World(account=account())

    renewed = world.action("acme", "A1", refused_version="v3")
    again = world.action("acme", "A1", refused_version="v3")

    assert renewed is again
    assert world.requests == 1


def test_fifty_at_once_ask_once() -> None:
    world = World()
    action, start = world.action, Barrier(50)

    def renew(_: int) -> str:
        start.wait()
        try:
            return str(action("acme", "A1").credential_version)
        except GrantBusy:
            return "busy"

    with ThreadPoolExecutor(50) as pool:
        answers = set(pool.map(renew, range(50)))

    assert world.requests == 1
    assert answers <= {"busy", credential_version("acme", "A1", 4)}


def test_a_put_that_throttles_is_repeated_and_nothing_is_used_meanwhile() -> None:
    world = World(put_fails=3)

    world.action("acme", "A1")

    assert world.requests == 1
    assert world.steps == ["put", "update"]


def test_tokens_that_cannot_be_stored_are_not_used() -> None:
    world = World(put_fails=100)

    with pytest.raises(TransientError):
        world.action("acme", "A1")

    assert world.steps == []


def test_what_a_worker_left_that_died_between_its_two_writes_is_finished_without_another_request() -> None:
    expires_at = NOW + HOUR
    world = World(secret=secret(grant_version=4, access_token="new", access_token_expires_at=expires_at))

    renewed = world.action("acme", "A1")

    assert world.requests == 0
    assert renewed.credential_version == credential_version("acme", "A1", 4)
    assert renewed.grant is not None
    assert renewed.grant.access_token_expires_at == expires_at
    assert world.steps == ["update"]


def test_an_account_edited_meanwhile_is_not_overwritten() -> None:
    world = World(update_fails=True)

    with pytest.raises(AccountChanged):
        world.action("acme", "A1")


@pytest.mark.parametrize("gone", [None, "password"])
def test_an_account_that_is_gone_or_has_no_grant_is_left_alone(gone: str | None) -> None:
    world = World()
    world.account = gone and account().model_copy(update={"auth": account().auth.model_copy(update={"oauth2": None})})  # type: ignore[assignment]  # None or an account

    with pytest.raises(AccountChanged):
        world.action("acme", "A1")

    assert world.requests == 0


def test_a_provider_in_trouble_backs_off_and_marks_nothing() -> None:
    world = World(tokens=failure(TokenEndpointFailed, wait_seconds=600))

    with pytest.raises(TokenEndpointFailed):
        world.action("acme", "A1")

    assert world.account is not None
    assert world.account.status == "verified"
    assert world.account.grant is not None
    assert world.account.grant.failures == 1
    assert world.refresh_at == NOW + timedelta(seconds=600)
    assert world.told == []


def test_a_lost_grant_is_marked_and_told_once() -> None:
    world = World(tokens=failure(GrantRefused))

    with pytest.raises(GrantRefused):
        world.action("acme", "A1")

    assert world.account is not None
    assert world.account.status == "reauthorization_required"
    assert world.account.last_error is not None
    assert world.account.last_error.remedy == "Do this."
    assert world.refresh_at is None
    assert world.told == ["reauthorization_required A1", "admins A1"]


def test_a_secret_that_is_gone_parks_the_account() -> None:
    world = World()

    def gone(of: MailAccount) -> AccountSecret:
        raise SecretUnavailable(of.id)

    world.current_secret = gone  # type: ignore[method-assign]  # another answer of the same port

    with pytest.raises(SecretUnavailable):
        world.action("acme", "A1")

    assert world.account is not None
    assert world.account.status == "reauthorization_required"


@pytest.mark.parametrize(
    ("lifetime", "age", "due", "lapses"),
    [
        pytest.param(60, 0, False, False, id="fresh"),
        pytest.param(60, 34, False, False, id="before-the-schedule"),
        pytest.param(60, 36, True, False, id="for-the-schedule"),
        pytest.param(60, 50, True, True, id="within-the-margin"),
        pytest.param(60, 61, True, True, id="lapsed"),
        pytest.param(5, 2, False, False, id="short-lived-and-young"),
        pytest.param(5, 3, True, True, id="short-lived-at-half-life"),
    ],
)
def test_when_a_token_is_renewed(lifetime: int, age: int, due: bool, lapses: bool) -> None:  # noqa: FBT001  (a table)
    issued = NOW - timedelta(minutes=age)
    state = account(renewed_at=issued, access_token_expires_at=issued + timedelta(minutes=lifetime)).grant

    assert state is not None
    assert (state.is_due(NOW), state.lapses_soon(NOW)) == (due, lapses)


def test_a_second_finding_of_the_same_refusal_is_told_to_nobody() -> None:
    world = World(account=account())
    reply = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="5.7.8 no")
    verdict = Verdict(failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Do this.")
    seen = world.account
    assert seen is not None

    world.action.refused(seen, reply, verdict)
    world.action.refused(seen, reply, verdict)

    assert world.told == ["reauthorization_required A1", "admins A1"]


def _again(world: World, at: datetime = NOW, *, refused_version: str | None = None) -> None:
    replace(world.action, clock=lambda: at)("acme", "A1", refused_version=refused_version)


@pytest.mark.parametrize("refused_version", [None, "v3"], ids=["due", "forced"])
def test_a_lost_grant_is_not_asked_for_again_and_nobody_is_told_again(refused_version: str | None) -> None:
    world = World(tokens=failure(GrantRefused))
    with pytest.raises(GrantRefused):
        world.action("acme", "A1")
    told, steps = list(world.told), list(world.steps)

    with pytest.raises(GrantRefused) as refused:
        _again(world, NOW + 24 * HOUR, refused_version=refused_version)

    assert refused.value.verdict.remedy == "Do this."
    assert (world.requests, world.told, world.steps) == (1, told, steps)


def test_many_who_meet_a_lost_grant_at_once_ask_once_and_tell_once() -> None:
    world = World(tokens=failure(GrantRefused))
    action, start = world.action, Barrier(20)

    def renew(_: int) -> type[Exception]:
        start.wait()
        with pytest.raises((GrantRefused, GrantBusy)) as raised:
            action("acme", "A1")
        return raised.type

    with ThreadPoolExecutor(20) as pool:
        met = set(pool.map(renew, range(20)))

    assert GrantRefused in met
    assert world.requests == 1
    assert world.told == ["reauthorization_required A1", "admins A1"]


@pytest.mark.parametrize("refused_version", [None, "v3"], ids=["due", "forced"])
@pytest.mark.parametrize(("wait_seconds", "least"), [(None, 45), (600, 600)], ids=["our-own-pause", "the-providers"])
def test_a_provider_in_trouble_is_not_asked_before_its_pause_is_over(
    wait_seconds: int | None, least: int, refused_version: str | None
) -> None:
    world = World(tokens=failure(TokenEndpointFailed, wait_seconds=wait_seconds))
    with pytest.raises(TokenEndpointFailed):
        world.action("acme", "A1")
    assert world.account is not None
    assert world.account.grant is not None
    assert world.account.grant.retry_at == NOW + timedelta(seconds=least)

    for seconds in (0, least - 1):
        with pytest.raises(TokenEndpointFailed) as failed:
            _again(world, NOW + timedelta(seconds=seconds), refused_version=refused_version)
        assert failed.value.verdict.wait_seconds == least - seconds

    assert world.requests == 1
    assert world.account.grant.failures == 1


def test_a_provider_in_trouble_is_asked_again_when_its_pause_is_over() -> None:
    before = LastError(at=NOW, phase="auth", code=503, text="503", remedy_id="row", remedy="Wait.")
    paused = account(**DUE, failures=3, retry_at=NOW).model_copy(update={"last_error": before})
    world = World(account=paused)

    renewed = world.action("acme", "A1")

    assert world.requests == 1
    assert renewed.last_error is None
    assert renewed.grant is not None
    assert (renewed.grant.failures, renewed.grant.retry_at) == (0, None)


@pytest.mark.parametrize(("refused_version", "forced_at"), [("v3", NOW), (None, None)], ids=["forced", "due"])
def test_a_forced_renewal_is_remembered_for_ten_minutes(
    refused_version: str | None, forced_at: datetime | None
) -> None:
    world = World()

    grant = world.action("acme", "A1", refused_version=refused_version).grant

    assert grant is not None
    assert grant.forced_at == forced_at
    assert grant.may_be_forced(NOW + timedelta(minutes=9, seconds=59)) is (forced_at is None)
    assert grant.may_be_forced(NOW + timedelta(minutes=10))


@dataclass
class SlowWorld(World):
    """A world whose writes of the secret take their time before they fail, and that notes what it is asked."""

    put_error: Exception = field(default_factory=lambda: TransientError("throttled"))
    put_seconds: float = 0.0
    at: datetime = NOW
    puts: int = 0
    pauses: list[float] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)

    def put_secret(self, of: MailAccount, new: AccountSecret) -> str:
        assert (of, new.access_token) == (self.account, SecretStr("new"))
        self.puts += 1
        self.at += timedelta(seconds=self.put_seconds)
        raise self.put_error

    def renew(self, of: MailAccount, by: AccountSecret, *, now: datetime, deadline: float | None = None) -> Tokens:
        self.deadlines.append(deadline)
        return super().renew(of, by, now=now, deadline=deadline)

    @property
    def action(self) -> RenewGrant:
        return replace(super().action, clock=lambda: self.at, pause=self.pauses.append)


@pytest.mark.parametrize("deadline", [None, 12.5])
def test_the_deadline_reaches_the_identity_provider(deadline: float | None) -> None:
    world = SlowWorld(tokens=failure(TokenEndpointFailed))

    with pytest.raises(TokenEndpointFailed):
        world.action("acme", "A1", deadline=deadline)

    assert world.deadlines == [deadline]


@pytest.mark.parametrize("error", [AccountChanged("another worker's tokens"), SecretUnavailable("gone")])
def test_a_put_that_waiting_cannot_help_is_not_repeated(error: Exception) -> None:
    world = SlowWorld(put_error=error)

    with pytest.raises(type(error)):
        world.action("acme", "A1")

    assert (world.puts, world.pauses, world.steps) == (1, [], [])
    assert world.leased == set()


@pytest.mark.parametrize("put_seconds", [0.0, 2.0, 9.0, 12.0])
def test_a_put_that_fails_ends_well_within_the_lease_however_long_each_try_takes(put_seconds: float) -> None:
    world = SlowWorld(put_seconds=put_seconds)

    with pytest.raises(TransientError):
        world.action("acme", "A1")

    tried = world.puts * put_seconds
    assert tried <= 25 + put_seconds
    assert sum(world.pauses) <= 25 + 4
    assert max(tried, sum(world.pauses)) >= 25
    assert max(world.pauses) <= 4
    assert world.requests == 1
    assert world.leased == set()
