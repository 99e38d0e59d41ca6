"""Whatever happens to a notification, everybody on it ends in a final state, and nobody gets it twice for nothing.

A seed decides what happens, and stands in the test's name; `--full` tries two thousand.
"""

from __future__ import annotations

from random import Random

import pytest

from tests.unit.actions.misfortune import Misfortune
from tests.unit.model.examples import account, event, settings

BOUNDED, FULL = 60, 2_000


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every seed a test."""
    metafunc.parametrize("seed", range(FULL if metafunc.config.getoption("--full") else BOUNDED))


@pytest.mark.parametrize("is_mild", [True, False], ids=["mild", "deadly"])
def test_nobody_is_lost_or_mailed_twice_for_nothing(seed: int, *, is_mild: bool) -> None:
    random = Random(seed)  # noqa: S311  (chance, no secret)
    first = account(limits=random.choice([{}, {"per_minute": 5}, {"per_minute": 30}]))
    second = account("second", limits=random.choice([{}, {"per_minute": 3}]))
    policy = random.choice(["none", "project"])
    world = Misfortune(settings_now=settings(first, second, fallback_policy=policy), random=random, is_mild=is_mild)
    people = [f"p{number}@example.org" for number in range(random.choice([1, 2, 60, 100]))]
    events = random.choice([1, 3])
    for number in range(events):
        data = event()["data"] | {"recipients": [{"email": address} for address in people]}
        world.publish(event(id=f"event-{number}", data=data))

    world.work()

    assert sorted(entry.recipient for entry in world.entries()) == sorted(people * events)
    assert world.unfinished() == []
    assert world.accepted() <= world.mails
    if is_mild:
        assert world.accepted() == world.mails
