"""Slots: whose they are, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.model import slot
from tocsin.model.shared_item import SharedItem

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = timedelta(seconds=1)
FREE = SharedItem(key=slot.slot_key(account(), 0))


@pytest.mark.parametrize(
    ("ends_at", "lives"),
    [
        pytest.param(NOW + SECOND, True, id="before-its-end"),
        pytest.param(NOW, False, id="at-its-end"),
        pytest.param(NOW - SECOND, False, id="behind-its-end"),
    ],
)
def test_a_lease_goes_on_until_its_end(ends_at: datetime, lives: bool) -> None:  # noqa: FBT001  (a table's column)
    leased = slot.leased(FREE, "ours", ends_at)

    assert slot.lives(leased, NOW) is lives
    assert slot.is_taken(leased, "theirs", NOW) is lives
    assert slot.is_taken(leased, "ours", NOW) is False


def test_a_slot_that_was_never_leased_is_nobodys() -> None:
    assert not slot.lives(FREE, NOW)
    assert not slot.is_taken(FREE, "ours", NOW)


def test_a_lease_follows_the_item_as_it_was_seen_and_is_remembered_beyond_its_end() -> None:
    first = slot.leased(FREE, "ours", NOW)
    second = slot.leased(first, "theirs", NOW + SECOND)

    assert (first.key, first.version, second.version) == (FREE.key, 1, 2)
    assert slot.ends_at(second) == NOW + SECOND
    assert second.forgotten_at is not None
    assert second.forgotten_at > NOW + timedelta(minutes=30)  # a copy that outlives the item would lose its first write


@pytest.mark.parametrize("other", [{"project_id": "other"}, {"id": "second"}])
def test_slots_of_two_accounts_have_no_key_in_common(other: Mapping[str, str]) -> None:
    ours, theirs = account(), account().model_copy(update=other)

    keys = [slot.slot_key(of, number) for of in (ours, theirs) for number in range(3)]

    assert len(set(keys)) == 6
    assert all(key.startswith(slot.KIND) for key in keys)


@pytest.mark.parametrize(("connections", "left"), [(1, 0), (2, 1), (3, 1), (100, 1)])
def test_one_slot_is_left_to_what_is_not_bulk_where_there_is_another(connections: int, left: int) -> None:
    assert sum(slot.is_left_free(number, connections) for number in range(connections)) == left
