"""AWS calls: how many requests `deliver` makes for an event, counted in its clients; its event source's come on top."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING

from tocsin.model.chunk import SPLIT_AT

from tests.benchmarks.figures import Figure
from tests.benchmarks.function import running_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.function import World

_LARGE = 1000
_WARM_EVENTS = 2
_SETTINGS_ARE_KEPT_SECONDS = 10  # DESIGN section 5
_FIRST_EVENT_SERVICES = {"dynamodb", "eventbridge", "secrets-manager"}


def measure() -> list[Figure]:
    """Count for a large event and for warm small ones, on an engine of their own."""
    with running_world() as world:
        large = _large(world)
        single = _single(world)
    return [
        Figure(name="aws_calls.per_recipient.1000", rounds=[large], goal=0.2, better="lower", unit="calls"),
        Figure(name="aws_calls.single_warm", rounds=single, goal=5, better="lower", unit="calls"),
    ]


def _large(world: World) -> float:
    """Calls a recipient, at their most: the cut and every chunk fall to a function that has just been started."""
    project = world.project(connections=_LARGE // SPLIT_AT + 1)
    people = [f"p{number}@example.org" for number in range(_LARGE)]
    calls = _handled_cold(world, json.dumps(project.event(*people)), queue="NotificationQueue")
    while chunks := world.stack.messages("BulkQueue"):
        for chunk in chunks:
            calls += _handled_cold(world, chunk["body"], queue="BulkQueue")
    assert Counter(project.states().values()) == {"accepted": _LARGE}
    print(f"AWS calls for {_LARGE} recipients: {_told(calls)}")
    return len(calls) / _LARGE


def _handled_cold(world: World, body: str, *, queue: str) -> list[str]:
    with world.function() as function:
        return function.invoke([world.record(body, queue=queue)]).calls


def _single(world: World) -> list[float]:
    """Calls of warm events for one recipient, each so long after the one before it that the settings are read anew."""
    project = world.project(connections=4)
    with world.function() as function:

        def calls() -> list[str]:
            event = project.event("ana@example.org")
            done = function.invoke([world.record(json.dumps(event))])
            assert project.states() == {"ana@example.org": "accepted"}
            world.stack.forget_deliveries()
            return done.calls

        first = calls()
        assert {call.partition(".")[0] for call in first} <= _FIRST_EVENT_SERVICES, first
        print(f"AWS calls of a first event: {_told(first)}")
        print(f"AWS calls of one at once after it: {_told(calls())}")
        rounds = [_later(calls) for _ in range(_WARM_EVENTS)]
    print(f"AWS calls of one later: {_told(rounds[-1])}")
    return [float(len(one)) for one in rounds]


def _later(calls: Callable[[], list[str]]) -> list[str]:
    time.sleep(_SETTINGS_ARE_KEPT_SECONDS + 0.1)
    return calls()


def _told(calls: Iterable[str]) -> str:
    counted = Counter(calls)
    return ", ".join(f"{number} {call}" for call, number in sorted(counted.items())) + f"; {counted.total()} in all"
