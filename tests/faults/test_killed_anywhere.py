"""The function dies at any point of a batch: nobody is lost, and only what was in flight is mailed once more.

A seed decides where it dies, and stands in the test's name; `--full` tries a thousand. Odd seeds submit over TLS, in a
session that is kept open, with a breaker that is half open; even ones in clear text, in a session that is closed.
"""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.faults.death import KINDS, NEVER, Death, Kind
from tests.faults.trial import body_of, people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.faults.conftest import Bench

BATCH = people(50)
LARGE = people(150)
RUNS = {"seed": (50, 1000), "seed_of_large": (10, 100)}
"""How many seeds are tried: usually, and with `--full`."""

type Steps = Mapping[Kind, int]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every seed a test."""
    for name, (bounded, full) in RUNS.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, range(full if metafunc.config.getoption("--full") else bounded))


@pytest.fixture(scope="module")
def steps_of_a_batch(bench: Bench) -> Callable[[bool], Steps]:
    """How many steps of each kind the batch takes where nobody dies, with and without TLS."""

    @cache
    def steps(tls: bool) -> Steps:  # noqa: FBT001  (the only question)
        with bench.trial(tls=tls) as trial:
            [whole] = trial.deliver(body_of(trial, BATCH), [NEVER])
            trial.check(BATCH)
            return {"line": whole.lines, "call": len(whole.calls), **bench.passage.traffic}

    return steps


@pytest.fixture(scope="module")
def steps_of_a_cut(bench: Bench) -> Steps:
    """How many steps of each kind it takes to cut the large event."""
    with bench.trial(tls=False) as trial:
        [whole] = trial.deliver(body_of(trial, LARGE), [NEVER])
        return {"line": whole.lines, "call": len(whole.calls)}


@pytest.fixture(scope="module")
def transactions(bench: Bench) -> list[int]:
    """At which calls the batch's journal leaves and is answered, by turns."""
    with bench.trial(tls=True) as trial:
        [whole] = trial.deliver(body_of(trial, BATCH))
        written = [at for at, name in enumerate(whole.calls, start=1) if name.endswith("TransactWriteItems")]
        return written[2:]  # ahead of it so many recipients are counted, should this become a storm


def test_nobody_is_lost_and_only_what_was_in_flight_is_repeated(
    bench: Bench, steps_of_a_batch: Callable[[bool], Steps], seed: int
) -> None:
    tls = seed % 2 == 1
    deaths = _deaths(seed, steps_of_a_batch(tls))
    print(f"seed {seed}: {deaths}")  # noqa: T201  (pytest shows it where the test fails)
    with bench.trial(tls=tls) as trial:
        invocations = trial.deliver(body_of(trial, BATCH), deaths)

        assert invocations[0].died
        trial.check(BATCH)


def test_a_large_event_is_cut_into_chunks_that_mail_everybody_once(
    bench: Bench, steps_of_a_cut: Steps, seed_of_large: int
) -> None:
    deaths = _deaths(seed_of_large, steps_of_a_cut)
    print(f"seed {seed_of_large}: {deaths}")  # noqa: T201  (pytest shows it where the test fails)
    with bench.trial(tls=False) as trial:
        invocations = trial.deliver(body_of(trial, LARGE), deaths)
        for message in bench.stack.messages("BulkQueue"):
            trial.deliver(message["body"], queue="BulkQueue")

        assert invocations[0].died
        trial.check(LARGE)
        assert trial.mails().total() == len(LARGE)


@pytest.mark.parametrize(
    ("transaction", "is_answered", "states", "mails"),
    [
        pytest.param(0, False, set(), 0, id="before-the-journal"),
        pytest.param(0, True, {"submitting"}, 0, id="between-journal-and-relay"),
        pytest.param(1, False, {"submitting"}, 50, id="behind-the-last-250"),
        pytest.param(1, True, {"accepted"}, 50, id="before-the-answer-to-SQS"),
    ],
)
def test_what_a_death_leaves_is_what_was_journaled_and_submitted_before_it(
    bench: Bench, transactions: list[int], transaction: int, *, is_answered: bool, states: set[str], mails: int
) -> None:
    death = Death(kind="call", at=transactions[2 * transaction + is_answered])
    with bench.trial(tls=True) as trial:
        body = body_of(trial, BATCH)

        assert trial.invoke(body, death).died

        assert (set(trial.acme.states().values()), trial.mails().total()) == (states, mails)
        trial.deliver(body)
        trial.check(BATCH)


def test_a_content_that_was_cut_is_no_mail(bench: Bench, steps_of_a_batch: Callable[[bool], Steps]) -> None:
    death = Death(kind="octet", at=steps_of_a_batch(False)["octet"] // 2)
    with bench.trial(tls=False) as trial:
        body = body_of(trial, BATCH)

        assert trial.invoke(body, death).died

        assert set(trial.acme.states().values()) == {"submitting"}
        assert 0 < trial.mails().total() < len(BATCH)
        trial.deliver(body)
        trial.check(BATCH)


def _deaths(seed: int, steps: Steps) -> list[Death]:
    """One death or two, each of a kind and at a step that the seed decides."""
    chance = random.Random(seed)  # noqa: S311  (no secret: it is to be repeated)
    number = chance.choice((1, 1, 2))
    kinds = [chance.choice([kind for kind in KINDS if kind in steps]) for _ in range(number)]
    return [Death(kind=kind, at=chance.randint(1, steps[kind])) for kind in kinds]
