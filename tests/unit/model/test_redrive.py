"""What lets an account's parked deliveries go, when they are looked for, and where a re-drive leads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.delivery import NEXT, State
from tocsin.model.redrive import REDRIVABLE, Mark, first_pass, mends, next_pass, state_after

from tests.unit.model.examples import NOW, account

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
