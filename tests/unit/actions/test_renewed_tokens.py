"""Renewed tokens are stored in one piece before anybody uses them, whoever dies or edits meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tocsin.actions.renew_grant import RenewalOutcome
from tocsin.errors import AccountChanged, GrantBusy, SecretUnavailable, TransientError
from tocsin.model.grant import GrantType, OAuth2, Tokens, credential_version
from tocsin.model.mail_account import LastError
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.unit.actions.grant_world import DUE, HOUR, NOW, World, account, failure, secret

if TYPE_CHECKING:
    from tocsin.actions.renew_grant import RenewGrant
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount


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


def test_a_put_that_throttles_is_repeated_and_nothing_is_used_meanwhile() -> None:
    world = World(put_fails=3)

    world.action("acme", "A1")

    assert world.requests == 1
    assert world.steps == ["put", "update"]


@pytest.mark.parametrize(
    ("deadline", "put_takes", "at_most"),
    [
        pytest.param(None, 0.0, 25, id="of-the-schedule"),
        pytest.param(7.0, 0.0, 11, id="of-somebody-who-waits"),
        pytest.param(7.0, 3.0, 14, id="and-slowly"),
        pytest.param(100.0, 0.0, 25, id="of-somebody-with-time"),
        pytest.param(-5.0, 0.0, 0, id="too-late"),
    ],
)
def test_tokens_that_cannot_be_stored_in_time_are_not_used(
    deadline: float | None, put_takes: float, at_most: float
) -> None:
    world = World(put_fails=1000, put_takes=put_takes)
    begun = world.seconds

    with pytest.raises(TransientError):
        world.action("acme", "A1", deadline=begun + deadline if deadline is not None else None)

    assert world.steps == []
    assert world.put_fails < 1000
    assert world.seconds - begun <= at_most


def test_what_a_worker_left_that_died_between_its_two_writes_is_finished_without_another_request() -> None:
    expires_at = NOW + HOUR
    world = World(secret=secret(grant_version=4, access_token="new", access_token_expires_at=expires_at))

    renewed = world.action("acme", "A1")

    assert world.requests == 0
    assert renewed.credential_version == credential_version("acme", "A1", 4)
    assert renewed.grant is not None
    assert renewed.grant.access_token_expires_at == expires_at
    assert world.steps == ["update"]


def test_what_such_a_worker_left_ends_the_trouble_that_came_before() -> None:
    trouble = LastError(at=NOW, phase="auth", code=503, text="503", remedy_id="row", remedy="Wait.")
    paused = account(**DUE, failures=2, retry_at=NOW).model_copy(update={"last_error": trouble})
    world = World(account=paused, secret=secret(grant_version=4, access_token_expires_at=NOW + HOUR))

    renewed = world.action("acme", "A1")

    assert renewed.last_error is None
    assert renewed.grant is not None
    assert (renewed.grant.failures, renewed.grant.retry_at) == (0, None)


@pytest.mark.parametrize("minutes", [None, -5, 9], ids=["unknown", "lapsed", "lapsing"])
def test_what_such_a_worker_left_is_renewed_where_it_does_not_last(minutes: int | None) -> None:
    ends = NOW + timedelta(minutes=minutes) if minutes is not None else None
    world = World(secret=secret(grant_version=4, refresh_token="left", access_token_expires_at=ends))

    visit = world.action.visit("acme", "A1")

    assert visit.outcome is RenewalOutcome.RENEWED
    assert (world.requests, world.steps) == (1, ["update", "put", "update"])
    assert (world.secret.grant_version, visit.after.credential_version) == (5, credential_version("acme", "A1", 5))
    assert visit.after is world.account


def test_tokens_that_were_stored_for_settings_since_edited_are_not_used_but_renewed() -> None:
    world = World(
        account=account().model_copy(update={"version": 2}),
        secret=secret(grant_version=7, access_token="of the old settings", refresh_token="newest"),
    )

    renewed = world.action("acme", "A1")

    assert world.requests == 1
    assert world.steps == ["put", "update"]
    assert world.secret.access_token == SecretStr("new")
    assert (world.secret.grant_version, world.secret.account_version) == (8, 2)
    assert renewed.credential_version == credential_version("acme", "A1", 8)


def test_a_consent_to_settings_since_edited_is_not_taken_for_one_to_the_new_settings() -> None:
    oauth2 = OAuth2(grant=GrantType.AUTHORIZATION_CODE, client_id="c")
    edited = account().model_copy(
        update={"version": 2, "grant": None, "auth": account().auth.model_copy(update={"oauth2": oauth2})}
    )
    world = World(account=edited, secret=secret(grant_version=1))
    asked_with: list[AccountSecret] = []

    def renew(of: MailAccount, by: AccountSecret, *, now: datetime, deadline: float | None = None) -> Tokens:
        del of, now, deadline
        asked_with.append(by)
        raise failure(GrantRefused)

    world.renew = renew  # type: ignore[method-assign]  # another answer of the same port

    with pytest.raises(GrantRefused):
        world.action("acme", "A1")

    assert [by.refresh_token for by in asked_with] == [None]
    assert world.account is not None
    assert world.account.credential_version == "v3"


def test_an_account_edited_meanwhile_is_not_overwritten() -> None:
    world = World(update_fails=True)

    with pytest.raises(AccountChanged):
        world.action("acme", "A1")


@pytest.mark.parametrize(("seconds", "asked"), [(0.0, 1), (19.0, 1), (20.0, 0), (61.0, 0)])
def test_nobody_is_asked_when_the_lease_may_end_before_the_answer_is_stored(seconds: float, asked: int) -> None:
    world = World(reading_takes=seconds, put_fails=1000)
    begun = world.seconds

    with pytest.raises(TransientError) as raised:
        world.action("acme", "A1")

    assert isinstance(raised.value, GrantBusy) is (asked == 0)
    assert world.requests == asked
    assert world.steps == []
    assert world.seconds - begun <= max(seconds, 40)


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
        return replace(
            super().action,
            clock=lambda: self.at,
            monotonic=lambda: self.at.timestamp() + sum(self.pauses),
            pause=self.pauses.append,
        )


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

    assert 25 - 4 <= world.puts * put_seconds + sum(world.pauses) <= 25 + put_seconds
    assert max(world.pauses) <= 4
    assert world.requests == 1
    assert world.leased == set()
