"""Whatever happens in a storm, what was held is told of by one digest, and by one only.

A seed decides what happens, and stands in the test's name; `--full` tries five hundred.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from tests.unit.actions.storm_misfortune import MisfortuneInStorm
from tests.unit.model.examples import NOW, account, event, settings

BOUNDED, FULL = 20, 500


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every seed a test."""
    metafunc.parametrize("seed", range(FULL if metafunc.config.getoption("--full") else BOUNDED))


@pytest.mark.parametrize("is_mild", [True, False], ids=["mild", "deadly"])
def test_what_was_held_is_told_of_once(seed: int, *, is_mild: bool) -> None:
    random = Random(seed)  # noqa: S311  (chance, no secret)
    control = {"window_seconds": random.choice([60, 600]), "mails_per_thread": 2, "mails_in_all": 3}
    first = account(limits=random.choice([{}, {"per_minute": 30}]))
    acme = settings(first, account("second"), fallback_policy="project", storm_control=control)
    world = MisfortuneInStorm(settings_now=acme, random=random, is_mild=is_mild)
    people = [f"p{number}@example.org" for number in range(random.choice([1, 2, 10]))]
    for number in range(30):
        data = event()["data"] | {"recipients": [{"email": address} for address in people]}
        at = NOW + timedelta(seconds=random.randint(0, 1500))
        world.publish(event(id=f"event-{number}", data=data, subject=f"incident/{number % 3}"), at=at)

    world.work()

    assert sum(world.states().values()) == 30 * len(people)
    assert world.unfinished() == []
    assert world.digested() == sum(world.told_of.values())
