"""Renewing a grant: one worker, one request, and only when it is due or was refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.renew_grant import RenewalOutcome
from tocsin.errors import AccountChanged, GrantBusy
from tocsin.model.grant import GrantType, OAuth2, credential_version
from tocsin.model.remedy import FailureClass
from tocsin.model.token_error import TokenEndpointFailed

from tests.unit.actions.grant_world import DUE, HOUR, NOW, World, account, secret

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount


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


@pytest.mark.parametrize("gone", [None, "password"])
def test_an_account_that_is_gone_or_has_no_grant_is_left_alone(gone: str | None) -> None:
    world = World()
    world.account = gone and account().model_copy(update={"auth": account().auth.model_copy(update={"oauth2": None})})  # type: ignore[assignment]  # None or an account

    with pytest.raises(AccountChanged):
        world.action("acme", "A1")

    assert world.requests == 0


@pytest.mark.parametrize(("refused_version", "forced_at"), [("v3", NOW), (None, None)], ids=["forced", "due"])
def test_a_forced_renewal_is_remembered(refused_version: str | None, forced_at: datetime | None) -> None:
    world = World()

    grant = world.action("acme", "A1", refused_version=refused_version).grant

    assert grant is not None
    assert grant.forced_at == forced_at


@pytest.mark.parametrize(
    ("ago", "wait"),
    [(timedelta(0), 600), (timedelta(minutes=9), 60), (timedelta(minutes=10), None)],
    ids=["just-now", "minutes-ago", "long-ago"],
)
def test_a_refused_token_is_renewed_once_in_ten_minutes(ago: timedelta, wait: int | None) -> None:
    world = World(account=account(forced_at=NOW - ago))

    if wait is None:
        world.action("acme", "A1", refused_version="v3")
    else:
        with pytest.raises(TokenEndpointFailed) as failed:
            world.action("acme", "A1", refused_version="v3")
        assert failed.value.verdict.failure_class is FailureClass.AUTH_TRANSIENT
        assert failed.value.verdict.wait_seconds == wait

    assert world.requests == (wait is None)
    assert world.account is not None
    assert world.account.status == "verified"


def test_who_was_refused_with_an_older_token_gets_the_newest_whenever_that_was_forced() -> None:
    world = World(account=account(forced_at=NOW))

    assert world.action("acme", "A1", refused_version="v2") is world.account
    assert world.requests == 0


@pytest.mark.parametrize(
    ("world", "outcome"),
    [
        pytest.param(World(), RenewalOutcome.RENEWED, id="due"),
        pytest.param(World(account=account()), RenewalOutcome.NOT_DUE, id="somebody-was-faster"),
        pytest.param(
            World(secret=secret(grant_version=4, access_token_expires_at=NOW + HOUR)),
            RenewalOutcome.ADOPTED,
            id="somebody-died",
        ),
    ],
)
def test_a_visit_says_what_it_came_to(world: World, outcome: RenewalOutcome) -> None:
    found = world.account

    visit = world.action.visit("acme", "A1")

    assert visit.outcome is outcome
    assert (visit.before, visit.after) == (found, world.account)


_LOST = account(**DUE).model_copy(update={"status": "reauthorization_required"})
_UNCONNECTED = account().model_copy(
    update={
        "grant": None,
        "auth": account().auth.model_copy(update={"oauth2": OAuth2(grant=GrantType.AUTHORIZATION_CODE, client_id="c")}),
    }
)


@pytest.mark.parametrize("waiting", [_LOST, _UNCONNECTED], ids=["lost", "not-connected"])
def test_a_visit_leaves_alone_what_waits_for_an_admin(waiting: MailAccount) -> None:
    world = World(account=waiting)

    visit = world.action.visit("acme", "A1")

    assert (visit.outcome, visit.after) == (RenewalOutcome.NOT_RENEWABLE, waiting)
    assert (world.requests, world.steps, world.told, world.leased) == (0, [], [], set())
