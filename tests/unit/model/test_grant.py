"""A grant's life: when its access token is renewed, and how it is kept from lapsing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.data.identity_providers import document, identity_provider_for
from tocsin.model.grant import GrantState, Tokens

from tests.identity_provider.accounts import account_of
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from datetime import datetime

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def _state(**fields: Any) -> GrantState:  # noqa: ANN401  (fields of any kind)
    return GrantState(**{"renewed_at": NOW, "access_token_expires_at": NOW + HOUR, **fields})


@pytest.mark.parametrize(
    ("lifetime", "age", "due", "lapses"),
    [
        pytest.param(60, 0, False, False, id="fresh"),
        pytest.param(60, 34, False, False, id="before-the-schedule"),
        pytest.param(60, 36, True, False, id="for-the-schedule"),
        pytest.param(60, 50, True, True, id="within-the-margin"),
        pytest.param(60, 61, True, True, id="lapsed"),
        pytest.param(45, 24, False, False, id="at-rest"),
        pytest.param(45, 25, True, False, id="rested"),
        pytest.param(30, 19, False, False, id="left-to-the-mails"),
        pytest.param(30, 20, True, True, id="left-to-the-mails-and-within-the-margin"),
        pytest.param(15, 9, False, False, id="of-minutes-and-used-for-ten"),
        pytest.param(15, 10, True, True, id="of-minutes-and-used-up"),
        pytest.param(5, 3, False, False, id="of-five-minutes"),
        pytest.param(5, 4, True, True, id="of-five-minutes-at-four-fifths"),
    ],
)
def test_when_a_token_is_renewed(lifetime: int, age: int, due: bool, lapses: bool) -> None:  # noqa: FBT001  (a table)
    issued = NOW - timedelta(minutes=age)
    state = _state(renewed_at=issued, access_token_expires_at=issued + timedelta(minutes=lifetime))

    assert (state.is_due(NOW), state.lapses_soon(NOW)) == (due, lapses)


@pytest.mark.parametrize(
    ("lapses_in", "visited_in"),
    [
        pytest.param(None, 40 * MINUTE, id="lasts"),
        pytest.param(90 * DAY, 40 * MINUTE, id="lapses-from-disuse-long-after-the-token"),
        pytest.param(30 * MINUTE, 15 * MINUTE, id="lapses-before-the-token"),
    ],
)
def test_a_grant_is_renewed_before_it_or_its_token_ends(lapses_in: timedelta | None, visited_in: timedelta) -> None:
    state = _state(lapses_at=NOW + lapses_in if lapses_in is not None else None)

    assert state.refresh_at(NOW, jitter=0.0) == NOW + visited_in
    assert not state.is_due(NOW + min(visited_in, 34 * MINUTE) - timedelta(seconds=1))
    assert state.is_due(NOW + visited_in)


@pytest.mark.parametrize(
    ("renewals", "every", "waits"),
    [
        pytest.param(1, 20 * MINUTE, timedelta(0), id="once"),
        pytest.param(100, 20 * MINUTE, timedelta(0), id="at-the-pace"),
        pytest.param(21, timedelta(0), timedelta(0), id="all-that-was-saved-up"),
        pytest.param(22, timedelta(0), 20 * MINUTE, id="one-more"),
        pytest.param(27, 4 * MINUTE, 16 * MINUTE, id="of-five-minutes"),
    ],
)
def test_a_grant_that_was_renewed_too_often_waits(renewals: int, every: timedelta, waits: timedelta) -> None:
    state, now = _state(), NOW
    for number in range(renewals):
        now = NOW + every * number
        state = state.renewed(Tokens(access_token="t", expires_at=now + 5 * MINUTE), now)

    assert state.may_be_renewed_in(now) == waits
    assert state.may_be_renewed_in(now + waits) == timedelta(0)


@pytest.mark.parametrize(("lifetime", "is_kept_fresh"), [(44, False), (45, True)])
def test_the_schedule_keeps_fresh_what_lives_long_enough(lifetime: int, *, is_kept_fresh: bool) -> None:
    assert _state(access_token_expires_at=NOW + lifetime * MINUTE).is_kept_fresh is is_kept_fresh


_LAPSING = [name for name, preset in document().items() if preset.lapses_after_days is not None]


@pytest.mark.parametrize("name", _LAPSING)
def test_a_grant_whose_token_never_ends_is_kept_alive_at_half_of_what_its_provider_allows(name: str) -> None:
    lapses_after = identity_provider_for(account_of(name)).lapses_after
    assert lapses_after is not None
    renewals: list[datetime] = []
    state, now = GrantState(), NOW
    for _ in range(4):
        tokens = Tokens(access_token="t", expires_at=now + 3650 * DAY, lapses_at=now + lapses_after)
        state = state.renewed(tokens, now)
        now = state.refresh_at(now, jitter=0.0)
        renewals.append(now)

    assert [after - NOW for after in renewals] == [lapses_after / 2 * number for number in (1, 2, 3, 4)]
    assert state.is_due(now)


@pytest.mark.parametrize(("age", "lapsed"), [(59, False), (60, True), (61, True)])
def test_a_token_has_lapsed_at_its_end(age: int, lapsed: bool) -> None:  # noqa: FBT001  (a table)
    assert _state().has_lapsed(NOW + age * MINUTE) is lapsed


def test_what_never_had_a_token_has_not_lapsed_and_is_due() -> None:
    assert not GrantState().has_lapsed(NOW)
    assert GrantState().is_due(NOW)
