"""A run whose mail account an admin changes stops between two windows, and the chunk comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tocsin.actions.chunk_run import WINDOW
from tocsin.actions.delivery_run import TimeLeft
from tocsin.model.chunk import chunk_of
from tocsin.model.delivery import State
from tocsin.model.event import check_event

from tests.unit.actions.surroundings import FakeChunkJournal, Surroundings, deliver_in
from tests.unit.model.examples import NOW, account, event, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.model.project import ProjectSettings

    from tests.unit.actions.fakes import FakeSession

_RECIPIENTS = WINDOW + 10


def _deliver(surroundings: Surroundings) -> tuple[FakeChunkJournal, datetime | None]:
    """Deliver to more than one window; the journal, and when the chunk comes back."""
    whole = event()
    whole["data"]["recipients"] = [{"email": f"p{number}@example.org"} for number in range(_RECIPIENTS)]
    notification, journal = check_event(whole), FakeChunkJournal()
    time_left = TimeLeft(seconds=lambda: 60.0, monotonic=lambda: 0.0, function_timeout=60.0)
    outcome = deliver_in(surroundings)(notification, chunk_of(notification), journal, time_left=time_left)
    return journal, outcome.come_back_at


def _at_mail(number: int, act: Callable[[], None], relay: FakeSession) -> Callable[[], None]:
    return lambda: act() if len(relay.told) == number else None


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(settings(account(version=2)), id="changed"),
        pytest.param(settings(), id="deleted"),
        pytest.param(None, id="project-deleted"),
    ],
)
@pytest.mark.parametrize("at_mail", [0, WINDOW - 1])
def test_an_account_that_was_changed_stops_the_run_between_windows(after: ProjectSettings | None, at_mail: int) -> None:
    around = Surroundings()

    def change() -> None:
        around.settings_now = after

    around.relay.before_each = _at_mail(at_mail, change, around.relay)

    journal, come_back_at = _deliver(around)

    assert len(around.relay.told) == WINDOW
    assert [change.state for change in around.told] == [State.ACCEPTED] * WINDOW
    assert journal.writes[-1] == ([], True)  # the chunk is given back
    assert sum(last for _, last in journal.writes) == 1
    assert come_back_at == NOW


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(settings(account()), id="read-again"),
        pytest.param(settings(account(credential_version="v2")), id="token-renewed"),
        pytest.param(settings(account(), account("second", version=9)), id="another-account"),
    ],
)
def test_what_no_admin_changed_of_the_account_does_not_stop_the_run(after: ProjectSettings) -> None:
    around = Surroundings()

    def change() -> None:
        around.settings_now = after

    around.relay.before_each = _at_mail(0, change, around.relay)

    _, come_back_at = _deliver(around)

    assert len(around.relay.told) == _RECIPIENTS
    assert come_back_at is None
