"""What lets an account's parked deliveries go, when they are looked for, and where a re-drive leads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.delivery import NEXT, State
from tocsin.model.redrive import REDRIVABLE, Mark, first_pass, mends, next_pass, state_after, whose_mails_go

from tests.unit.model.examples import NOW, account, settings

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount

_LATER = NOW + timedelta(hours=1)
_GRANT = {"version": 1, "consented_at": NOW}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"enabled": False}, {}),
        ({"paused": True}, {}),
        ({"status": "reauthorization_required"}, {"status": "not_verified"}),
        ({"status": "disabled"}, {"status": "verified", "verified_at": NOW}),
        ({}, {"status": "verified", "verified_at": NOW}),
        ({"verified_at": NOW}, {"verified_at": _LATER}),
        ({}, {"version": 2}),
        ({"secrets_set": {"password": NOW}}, {"secrets_set": {"password": _LATER}}),
        ({"grant": _GRANT}, {"grant": _GRANT | {"consented_at": _LATER}}),
        ({}, {"grant": _GRANT}),
    ],
    ids=[
        "enabled",
        "no longer paused",
        "connected",
        "no longer disabled",
        "verified",
        "verified again",
        "settings changed",
        "new secret",
        "new consent",
        "first consent",
    ],
)
def test_what_may_mend_an_account(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert mends(account(**before), account(**after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, {"version": 2, "paused": True}),
        ({}, {"version": 2, "enabled": False}),
        ({}, {"status": "reauthorization_required"}),
        ({"verified_at": NOW}, {"status": "not_verified", "verified_at": None}),
        ({"grant": _GRANT}, {"credential_version": "v2", "grant": _GRANT | {"version": 2}}),
        ({"status": "verified"}, {"status": "failing"}),
    ],
    ids=["nothing", "paused", "disabled", "grant lost", "not verified any more", "token renewed", "failing"],
)
def test_what_mends_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    def made(changes: dict[str, Any]) -> MailAccount:
        return account(**changes)

    assert not mends(made(before), made(after))


@pytest.mark.parametrize(
    ("policy", "mended", "whose"),
    [
        pytest.param("none", "first", "first", id="no-fall-back-from-the-first"),
        pytest.param("none", "second", "second", id="no-fall-back-to-the-second"),
        pytest.param("project", "first", "first second", id="the-first-of-a-route"),
        pytest.param("project", "second", "first second", id="the-second-of-a-route"),
        pytest.param("project", "third", "third fourth", id="of-another-route"),
        pytest.param("project", "spare", "spare", id="of-no-route"),
        pytest.param("project", "system", "system", id="the-installations-is-not-allowed"),
        pytest.param("system", "first", "first second system", id="the-installations-behind-a-route"),
        pytest.param("system", "spare", "spare system", id="the-installations-behind-the-default"),
        pytest.param("system", "system", "first second third fourth spare system", id="the-installations-for-all"),
        pytest.param("system", "deleted", "deleted", id="one-that-is-no-more"),
    ],
)
def test_the_mails_go_of_all_accounts_that_share_a_route_with_the_one_that_was_mended(
    policy: str, mended: str, whose: str
) -> None:
    acme = settings(
        *(account(id_) for id_ in ("first", "second", "third", "fourth", "spare")),
        routes={"incident": ["first", "second", "deleted"], "alert": ["third", "fourth"]},
        default_mail_account_id="spare",
        fallback_policy=policy,
    )
    of_system = settings(account("system"), routes={}, default_mail_account_id="system")

    assert whose_mails_go(mended, acme, of_system) == set(whose.split())


def test_an_installation_without_accounts_of_its_own_adds_none() -> None:
    acme = settings(account("first"), account("second"), fallback_policy="system")

    assert whose_mails_go("second", acme, None) == {"first", "second"}


def _mark(pass_at: datetime) -> Mark:
    return Mark(
        project_id="acme", name="first", mail_account_id="first", token="t", since=NOW, pass_at=pass_at, reached=None
    )


def test_a_mark_is_looked_at_three_times_whenever_the_sweep_comes_by() -> None:
    passes = [first_pass(NOW)]
    while (following := next_pass(_mark(passes[-1]))) is not None:
        passes.append(following)

    assert [moment - NOW for moment in passes] == [
        timedelta(seconds=10),  # what deliver keeps of the settings
        timedelta(minutes=1),
        timedelta(minutes=16),  # more than the longest run of a function, and those 10 s
    ]


@pytest.mark.parametrize("state", State)
def test_a_re_drive_follows_the_arrows(state: State) -> None:
    if state is State.UNKNOWN:
        assert state_after(state) is State.UNKNOWN
    elif state in REDRIVABLE:
        assert state_after(state) in NEXT[state]
    else:
        assert State.QUEUED not in NEXT[state]
