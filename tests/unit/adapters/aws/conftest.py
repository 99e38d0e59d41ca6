"""Processes that share a table of slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.adapters.aws.session_world import Process, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def whole_world() -> Iterator[World]:
    """A table of slots."""
    with World.made() as world:
        yield world


@pytest.fixture
def world(whole_world: World) -> World:
    """No slot is leased."""
    whole_world.forget_slots()
    return whole_world


@pytest.fixture
def process(world: World) -> Process:
    """The process that a test is about."""
    return world.process()
