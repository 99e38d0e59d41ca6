"""Whole warm invocations: wall time a mail of our handler beside a naive one, 20 ms from the relay and 5 ms from AWS.

Both are handlers in processes of their own that were invoked before, with the same engine, relay and delay lines, and
mails of the same texts; ours keeps its journal and tells its events in that time. Lambda's share of a processor by
memory is not emulated.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from itertools import batched, count
from typing import TYPE_CHECKING, Any

from tests.benchmarks.figures import Figure, median_and_range
from tests.benchmarks.function import running_world
from tests.benchmarks.mails import letter, notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.function import Function, World
    from tests.functional.deliver.stack import Acme

_MAILS = 50
_CONNECTIONS = 4
_NAIVE_MAILS = 10  # one record each, as many as a batch holds; its time a mail does not depend on their number
_ROUNDS = 5
_events = count(1)


def measure() -> list[Figure]:
    """Invoke both by turns."""
    with (
        running_world(relay_round_trip=20, aws_round_trip=5) as world,
        world.function() as our_function,
        world.function("tests.benchmarks.naive_handler") as naive_function,
    ):
        project = world.project(connections=_CONNECTIONS + 1)  # one is left to what is no page
        ours = partial(_our_milliseconds, world, our_function, project)
        naive = partial(_naive_milliseconds, world, naive_function, project)
        ours(), naive()  # so that both are warm
        rounds = [(ours(), naive()) for _ in range(_ROUNDS)]
    own, other = zip(*rounds, strict=True)
    print(f"handler: {median_and_range(own)}; naive handler: {median_and_range(other)}; milliseconds a mail")
    ratios = [one / another for one, another in rounds]
    return [Figure(name="handler.warm.rtt20.vs_naive", rounds=ratios, goal=0.05, better="lower", unit="ratio")]


def _our_milliseconds(world: World, function: Function, project: Acme) -> float:
    """Four notifications of a status page in one batch, 50 recipients in all, so that four connections have work."""
    parts = batched(range(_MAILS), -(-_MAILS // _CONNECTIONS), strict=False)
    seconds = _seconds(world, function, [_event(project, part) for part in parts], mails=_MAILS)
    assert Counter(project.states().values()) == {"accepted": _MAILS}
    world.stack.forget_deliveries()
    assert sum(len(event["detail"]["deliveries"]) for event in world.stack.events()) == _MAILS
    return seconds / _MAILS * 1000


def _event(project: Acme, readers: Sequence[int]) -> str:
    told = notification(readers)
    data = told.data.model_dump(mode="json", exclude_none=True) | {"project": {"id": project.id}}
    event = {"specversion": "1.0", "id": str(next(_events)), "source": told.source, "type": told.type, "data": data}
    return json.dumps(event)


def _naive_milliseconds(world: World, function: Function, project: Acme) -> float:
    orders = [_order(project, number) for number in range(_NAIVE_MAILS)]
    return _seconds(world, function, [json.dumps(order) for order in orders], mails=_NAIVE_MAILS) / _NAIVE_MAILS * 1000


def _order(project: Acme, number: int) -> dict[str, Any]:
    values = {"unsubscribe_url": f"https://leave.example/{number}", "manage_url": f"https://manage.example/{number}"}
    account = {"project_id": project.id, "account_id": project.account_id}
    return account | {"to": f"reader{number}@example.org", "letter": letter(), "values": values}


def _seconds(world: World, function: Function, bodies: Sequence[str], *, mails: int) -> float:
    before = world.sink.taken().protected
    invocation = function.invoke([world.record(body) for body in bodies])
    assert world.sink.taken().protected - before == mails
    return invocation.seconds
