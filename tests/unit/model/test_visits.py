"""When the schedule looks at an account: for its grant, for its client secret's end, or not at all."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.model.visits import awaits_consent, is_renewable, next_visit, warning_due

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

END = NOW.date() + timedelta(days=40)
RENEWED = {"version": 3, "renewed_at": NOW, "access_token_expires_at": NOW + timedelta(hours=1)}


def _account(
    *,
    grant: str = "client_credentials",
    end: date | None = None,
    status: str = "verified",
    state: dict[str, object] | None = None,
) -> MailAccount:
    oauth2 = {"grant": grant, "client_id": "c", "client_secret_expires_on": end}
    return account(auth={"type": "oauth2", "username": "ops", "oauth2": oauth2}, status=status, grant=state)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NOW.tzinfo)


def _before_end(days: int) -> datetime:
    return _midnight(END - timedelta(days=days))


@pytest.mark.parametrize(
    ("one", "visit"),
    [
        pytest.param(account(), None, id="a-password"),
        pytest.param(_account(), NOW, id="nothing-obtained-yet"),
        pytest.param(_account(state=RENEWED), NOW + timedelta(minutes=40), id="renewed"),
        pytest.param(
            _account(state=RENEWED | {"retry_at": NOW + timedelta(minutes=50)}), NOW + timedelta(minutes=50), id="pause"
        ),
        pytest.param(
            _account(state=RENEWED | {"paced_until": NOW + timedelta(hours=7, minutes=50)}),
            NOW + timedelta(minutes=50),
            id="renewed-too-often",
        ),
        pytest.param(_account(end=END, state=RENEWED), NOW + timedelta(minutes=40), id="a-warning-is-later"),
        pytest.param(_account(grant="authorization_code"), None, id="not-connected"),
        pytest.param(_account(grant="authorization_code", end=END), _before_end(30), id="not-connected-and-ends"),
        pytest.param(_account(status="reauthorization_required", state=RENEWED), None, id="lost"),
        pytest.param(
            _account(status="reauthorization_required", end=END, state=RENEWED), _before_end(30), id="lost-and-ends"
        ),
        pytest.param(
            _account(
                status="reauthorization_required", end=END, state=RENEWED | {"warned_days": 30, "warned_end": END}
            ),
            _before_end(7),
            id="lost-and-warned",
        ),
        pytest.param(
            _account(status="reauthorization_required", end=END, state={"warned_days": 1, "warned_end": END}),
            None,
            id="lost-and-warned-of-all",
        ),
    ],
)
def test_an_account_is_visited_when_there_is_something_to_do(one: MailAccount, visit: datetime | None) -> None:
    assert next_visit(one, NOW, jitter=0.0) == visit


@pytest.mark.parametrize(
    ("on_day", "warned", "warning"),
    [
        (31, {}, None),
        (30, {}, 30),
        (8, {}, 30),
        (7, {}, 7),
        (0, {}, 1),
        (-3, {}, 1),
        (30, {"warned_days": 30, "warned_end": END}, None),
        (7, {"warned_days": 30, "warned_end": END}, 7),
        (0, {"warned_days": 1, "warned_end": END}, None),
        (30, {"warned_days": 1, "warned_end": END - timedelta(days=365)}, 30),
    ],
)
def test_a_warning_is_due_once_for_each_end(on_day: int, warned: dict[str, object], warning: int | None) -> None:
    assert warning_due(_account(end=END, state=warned), _before_end(on_day)) == warning


@pytest.mark.parametrize(
    ("one", "awaits", "renewable"),
    [
        (account(), False, False),
        (_account(grant="authorization_code"), True, False),
        (_account(grant="authorization_code", state={"warned_days": 30, "warned_end": END}), True, False),
        (_account(grant="authorization_code", state=RENEWED), False, True),
        (_account(grant="refresh_token"), False, True),
        (_account(status="reauthorization_required", state=RENEWED), False, False),
    ],
    ids=["password", "not-connected", "not-connected-and-warned", "connected", "pasted", "lost"],
)
def test_only_a_grant_that_is_there_and_not_lost_is_renewed(
    one: MailAccount,
    awaits: bool,  # noqa: FBT001  (a table)
    renewable: bool,  # noqa: FBT001  (a table)
) -> None:
    assert (awaits_consent(one), is_renewable(one)) == (awaits, renewable)
