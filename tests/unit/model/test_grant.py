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
        pytest.param(5, 2, False, False, id="short-lived-and-young"),
        pytest.param(5, 3, True, True, id="short-lived-at-half-life"),
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
