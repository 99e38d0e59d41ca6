"""A run whose time is over before anything is submitted leaves its message to the queue, and the chunk to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tocsin.actions.delivery_run import TimeLeft
from tocsin.errors import TooLate
from tocsin.model.chunk import chunk_of
from tocsin.model.delivery import State
from tocsin.model.event import check_event
from tocsin.model.rate import Rate
from tocsin.model.shared_item import SharedItem, shared_key

from tests.unit.actions.surroundings import FakeChunkJournal, Surroundings, deliver_in
from tests.unit.model.examples import NOW, account, event, notification, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.model.project import ProjectSettings

LIMITED = account(limits={"per_minute": 30})
WITH_FALL_BACK = settings(LIMITED, account("second"), fallback_policy="project")


def _time_left(seconds: Callable[[], float]) -> TimeLeft:
    return TimeLeft(seconds=seconds, monotonic=lambda: 0.0, function_timeout=60.0)


def _last_room_is_taken() -> SharedItem:
    rate = Rate.of({}, LIMITED.limits, NOW).submitted(30, NOW)
    return SharedItem(key=shared_key("rate", LIMITED), version=1, document=rate.document())


@pytest.mark.parametrize(
    ("accounts", "seconds"),
    [
        pytest.param(WITH_FALL_BACK, 20.0, id="for-the-next-account"),
        pytest.param(settings(LIMITED), 5.0, id="for-any"),
    ],
)
def test_a_notification_that_is_not_stored_is_never_left_to_a_pointer(
    accounts: ProjectSettings, seconds: float
) -> None:
    whole, around = notification(), Surroundings(settings_now=accounts)
    journal = FakeChunkJournal(races=[[_last_room_is_taken()]])

    with pytest.raises(TooLate):
        deliver_in(around)(
            whole, chunk_of(whole), journal, time_left=_time_left(lambda: 60.0 if journal.races else seconds)
        )

    assert around.relay.told == []


def test_a_chunk_of_which_only_a_part_was_decided_is_given_back() -> None:
    whole, journal = event(), FakeChunkJournal()
    whole["data"]["recipients"] = [{"email": "ana@example.org"}, {"email": "bo@example.org"}]
    checked = check_event(whole)

    with pytest.raises(TooLate):
        deliver_in(Surroundings(), look_up=lambda *_, **__: (frozenset({"ana@example.org"}), [], {}))(
            checked, chunk_of(checked), journal, time_left=_time_left(lambda: 20.0)
        )

    [(changes, is_last), *further] = journal.writes
    assert ([change.state for change in changes], is_last) == ([State.SUPPRESSED], False)
    assert further == [([], True)]
