"""An error that nobody knows what to do about is raised, and what was heard before it is told all the same."""

from __future__ import annotations

from typing import NoReturn

import pytest
from tocsin.actions.delivery_run import TimeLeft
from tocsin.model.chunk import chunk_of
from tocsin.model.delivery import State
from tocsin.model.event import check_event

from tests.unit.actions.fakes import FakeSession
from tests.unit.actions.surroundings import FakeChunkJournal, Surroundings, deliver_in
from tests.unit.model.examples import event


def _fail() -> NoReturn:
    raise LookupError


def test_what_was_accepted_before_an_error_is_journaled_and_told() -> None:
    relay = FakeSession(before_each=lambda: _fail() if len(relay.told) == 1 else None)
    surroundings, journal = Surroundings(relay=relay), FakeChunkJournal()
    whole = event()
    whole["data"]["recipients"] = [{"email": f"p{number}@example.org"} for number in range(3)]
    notification = check_event(whole)
    time_left = TimeLeft(seconds=lambda: 60.0, monotonic=lambda: 0.0, function_timeout=60.0)

    with pytest.raises(LookupError):
        deliver_in(surroundings)(notification, chunk_of(notification), journal, time_left=time_left)

    [(_, _), (answers, is_last)] = journal.writes
    assert [(change.before.recipient, change.state) for change in answers] == [("p0@example.org", State.ACCEPTED)]
    assert surroundings.told == answers
    assert not is_last
