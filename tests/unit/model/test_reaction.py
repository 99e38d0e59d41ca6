"""What was seen of a mail is told apart: what people did, and what scanners did before anybody could."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tocsin.model.reaction import NOTHING_SEEN, Seen

from tests.unit.model.examples import NOW


def _seen(*seconds: float, count: int | None = None) -> Seen:
    times = tuple(NOW + timedelta(seconds=after) for after in seconds)
    return Seen(count=len(times) if count is None else count, machine_count=1, times=times)


@pytest.mark.parametrize(
    ("seen", "count", "machine_count", "first"),
    [
        pytest.param(_seen(-3, 2, 9.9), 0, 4, None, id="only-scanners"),
        pytest.param(_seen(-3, 10, 60), 2, 2, 10, id="a-scanner-and-people"),
        pytest.param(_seen(60, 61, count=30), 30, 1, 60, id="more-than-times-are-kept-of"),
        pytest.param(_seen(1, 2, count=30), 28, 3, None, id="people-of-whom-no-time-is-kept"),
    ],
)
def test_what_came_before_or_at_once_after_acceptance_was_a_machine(
    seen: Seen, count: int, machine_count: int, first: float | None
) -> None:
    by_people = seen.by_people(NOW)

    assert (by_people.count, by_people.machine_count) == (count, machine_count)
    assert by_people.first_at == (None if first is None else NOW + timedelta(seconds=first))


def test_of_a_mail_that_no_relay_accepted_as_far_as_we_know_all_counts() -> None:
    assert _seen(1, 2).by_people(None) == _seen(1, 2)
    assert NOTHING_SEEN.by_people(NOW) == NOTHING_SEEN
