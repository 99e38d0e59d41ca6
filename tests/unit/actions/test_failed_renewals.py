"""A renewal that fails: a provider in trouble gets a pause, and a lost grant is marked and told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from tocsin.errors import GrantBusy, SecretUnavailable
from tocsin.model.mail_account import LastError
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.unit.actions.grant_world import DUE, HOUR, NOW, World, account, ending_on, failure

if TYPE_CHECKING:
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount


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


@pytest.mark.parametrize(
    ("kind", "days", "hours"),
    [(GrantRefused, 33, 3 * 24 - 12), (GrantRefused, 8, -12 - 22 * 24), (TokenEndpointFailed, 33, None)],
    ids=["lost", "lost-with-a-warning-due", "in-trouble"],
)
def test_an_account_that_cannot_be_renewed_is_still_visited_for_the_end_of_its_client_secret(
    kind: type[GrantRefused | TokenEndpointFailed], days: int, hours: int | None
) -> None:
    world = World(account=ending_on(NOW + timedelta(days=days), **DUE), tokens=failure(kind, wait_seconds=600))

    with pytest.raises(kind):
        world.action("acme", "A1")

    assert world.refresh_at == (NOW + timedelta(hours=hours) if hours is not None else NOW + timedelta(seconds=600))


def test_a_secret_that_is_gone_parks_the_account() -> None:
    world = World()

    def gone(of: MailAccount) -> AccountSecret:
        raise SecretUnavailable(of.id)

    world.current_secret = gone  # type: ignore[method-assign]  # another answer of the same port

    with pytest.raises(SecretUnavailable):
        world.action("acme", "A1")

    assert world.account is not None
    assert world.account.status == "reauthorization_required"


def test_a_second_finding_of_the_same_refusal_is_told_to_nobody() -> None:
    world = World(account=account())
    reply = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="5.7.8 no")
    verdict = Verdict(failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Do this.")
    seen = world.account
    assert seen is not None

    world.action.refused(seen, reply, verdict)
    world.action.refused(seen, reply, verdict)

    assert world.told == ["reauthorization_required A1", "admins A1"]


def test_who_dies_before_a_loss_is_written_has_told_of_it_and_the_next_one_writes_it() -> None:
    world = World(tokens=failure(GrantRefused))
    update = world.update

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    world.update = die  # type: ignore[method-assign]  # another answer of the same port
    with pytest.raises(SystemExit):
        world.action("acme", "A1")
    assert world.told == ["reauthorization_required A1", "admins A1"]
    world.update = update  # type: ignore[method-assign]  # as above

    with pytest.raises(GrantRefused):
        world.action("acme", "A1")

    assert world.account is not None
    assert world.account.status == "reauthorization_required"


def test_many_who_meet_the_same_refusal_at_once_tell_once() -> None:
    world = World(account=account())
    action, start, seen = world.action, Barrier(20), world.account
    assert seen is not None
    reply = Reply(phase=Phase.AUTH, code=535, enhanced="5.7.8", text="5.7.8 no")
    verdict = Verdict(failure_class=FailureClass.AUTH_PERMANENT, remedy_id="row", remedy="Do this.")

    def find(_: int) -> None:
        start.wait()
        action.refused(seen, reply, verdict)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(find, range(20)))

    assert world.told == ["reauthorization_required A1", "admins A1"]
    assert world.leased == set()


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
