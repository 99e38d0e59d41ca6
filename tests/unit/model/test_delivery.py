"""The states of a delivery, and the arrows between them."""

from __future__ import annotations

from itertools import product

import pytest
from tocsin.model.delivery import NEXT, Change, Entry, State, queued, states_before

from tests.unit.model.examples import NOW

S = State
ARROWS: dict[State, set[State]] = {
    S.QUEUED: {S.SUBMITTING, S.DEFERRED, S.PARKED, S.REFUSED, S.SUPPRESSED, S.EXPIRED},
    S.SUBMITTING: {S.ACCEPTED, S.DEFERRED, S.REFUSED, S.PARKED, S.UNKNOWN, S.SUBMITTING},
    S.ACCEPTED: {S.BOUNCED, S.COMPLAINED},
    S.DEFERRED: {S.SUBMITTING, S.DEFERRED, S.PARKED, S.SUPPRESSED, S.EXPIRED},
    S.REFUSED: {S.QUEUED},
    S.PARKED: {S.QUEUED, S.SUPPRESSED, S.EXPIRED},
    S.UNKNOWN: {S.SUBMITTING, S.BOUNCED, S.COMPLAINED, S.EXPIRED},
    S.SUPPRESSED: set(),
    S.EXPIRED: {S.QUEUED},
    S.BOUNCED: {S.COMPLAINED},
    S.COMPLAINED: set(),
}


def entry(state: State, *, resubmitted: bool = False) -> Entry:
    return Entry(
        recipient="ana@example.org", state=state, attempt=2, message_id="<1@acme.example>", resubmitted=resubmitted
    )


def test_the_arrows_are_those_of_the_design() -> None:
    assert NEXT == ARROWS


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_a_change_is_one_arrow_and_there_are_no_others(before: State, after: State) -> None:
    exists = after in ARROWS[before]

    assert (before in states_before(after)) is exists
    if exists:
        assert Change(before=entry(before), state=after, attempt=2).after.state is after
    else:
        with pytest.raises(ValueError, match=f"from {before} to {after}"):
            Change(before=entry(before), state=after, attempt=2)


def test_a_new_delivery_is_queued_and_not_stored() -> None:
    new = queued("ana@example.org", "<1@acme.example>")

    assert (new.state, new.attempt, new.stored, new.resubmitted) == (S.QUEUED, 0, False, False)


def test_what_a_change_leaves_is_stored_with_the_message_id_it_had() -> None:
    change = Change(before=queued("ana@example.org", "<1@acme.example>"), state=S.DEFERRED, attempt=1, retry_at=NOW)

    assert change.after == Entry(
        recipient="ana@example.org", state=S.DEFERRED, attempt=1, message_id="<1@acme.example>", retry_at=NOW
    )


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        (entry(S.UNKNOWN), S.SUBMITTING, True),
        (entry(S.SUBMITTING, resubmitted=True), S.UNKNOWN, True),
        (entry(S.SUBMITTING, resubmitted=True), S.DEFERRED, True),
        (entry(S.SUBMITTING), S.SUBMITTING, False),
        (entry(S.DEFERRED), S.SUBMITTING, False),
    ],
)
def test_a_resubmission_after_an_unknown_outcome_is_marked_for_good(
    before: Entry, after: State, *, marked: bool
) -> None:
    assert Change(before=before, state=after, attempt=3).after.resubmitted is marked
