"""Leases: one holder at a time, also where answers are lost and clocks differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from tocsin.adapters.leases import Leases

from tests.unit.adapters.aws.tables import table_by_pk
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "UnitTestLeases"
MINUTE = timedelta(minutes=1)
_numbers = count(1)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[DynamoDBClient]:
    """A table for leases."""
    with table_by_pk(TABLE) as client:
        yield client


@dataclass(slots=True, kw_only=True)
class Workers:
    """Workers that want one lease; each has a clock that is off by so many seconds."""

    client: DynamoDBClient
    name: str

    def take(self, holder: str, *, at: float = 0, clock_off: float = 0) -> bool:
        """Take the lease for a minute, so many seconds from the beginning."""
        now = NOW + timedelta(seconds=at + clock_off)
        return Leases(self.client, TABLE, clock=lambda: now).take(self.name, holder, lasting=MINUTE)

    def give_back(self, holder: str) -> None:
        Leases(self.client, TABLE, clock=lambda: NOW).give_back(self.name, holder)


@pytest.fixture
def workers(dynamodb: DynamoDBClient) -> Workers:
    """Workers of this test's own."""
    return Workers(client=dynamodb, name=f"grant#{next(_numbers)}")


def test_who_takes_it_again_since_the_answer_was_lost_holds_it(workers: Workers) -> None:
    assert workers.take("a")
    assert workers.take("a", at=4)
    assert not workers.take("b", at=61)  # it lasts from the second time on
    assert workers.take("b", at=64)


def test_another_does_not_get_it_until_it_ends(workers: Workers) -> None:
    assert workers.take("a")
    assert [workers.take("b", at=at) for at in (0, 30, 59.999, 60)] == [False, False, False, True]
    assert not workers.take("a", at=60)


def test_what_was_given_back_is_free_but_only_its_holder_gives_it_back(workers: Workers) -> None:
    assert workers.take("a")
    workers.give_back("b")
    assert not workers.take("b")
    workers.give_back("a")
    workers.give_back("a")
    assert workers.take("b")


def test_a_holder_whose_lease_ended_does_not_give_back_the_next_one_s(workers: Workers) -> None:
    assert workers.take("a")
    assert workers.take("b", at=60)
    workers.give_back("a")
    assert not workers.take("c", at=61)


@pytest.mark.parametrize("mine", [-2, 0, 2])
@pytest.mark.parametrize("theirs", [-2, 0, 2])
def test_clocks_that_differ_by_seconds_keep_it_exclusive_for_all_but_those_seconds(
    workers: Workers, mine: int, theirs: int
) -> None:
    ends = 60 + mine - theirs

    assert workers.take("a", clock_off=mine)
    assert not any(workers.take("b", at=at, clock_off=theirs) for at in (0, 30, 55.9, ends - 0.001))
    assert workers.take("b", at=ends, clock_off=theirs)


def test_one_lease_says_nothing_of_another(workers: Workers, dynamodb: DynamoDBClient) -> None:
    assert workers.take("a")
    assert Workers(client=dynamodb, name=workers.name + "#other").take("b")
