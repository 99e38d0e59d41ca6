"""The stack, built if need be, on an engine of its own with an inbox of its own."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local.demo import create_demo_project
from local.deployment import deploy
from local.engine_process import ROOT, Engine, running_engine
from local.stack import Stack, describe_stack
from local.surroundings import Surroundings, running_surroundings
from tests.local.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.inbox.running import Inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """All that a test may use. `gate` holds back the inbox's answers."""

    engine: Engine
    stack: Stack
    surroundings: Surroundings
    gate: Gate

    @property
    def inbox(self) -> Inbox:
        """Where mails arrive."""
        return self.surroundings.inbox


@pytest.fixture(scope="session")
def local(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:  # noqa: ARG001  (wanted first)
    """The deployed stack with the demo project."""
    with running_local(tmp_path_factory.mktemp("local")) as local:
        yield local


@contextmanager
def running_local(
    folder: Path,
    *,
    parameters: Mapping[str, str] | None = None,
) -> Iterator[Local]:
    """A stack of its own, with what it needs around it. `parameters` are template.yaml's."""
    gate = Gate()
    with (
        running_engine(folder / "engine") as engine,
        running_surroundings(folder, before_answer=gate) as surroundings,
    ):
        deploy(
            engine.endpoint_url,
            parameters=surroundings.parameters() | {**(parameters or {})},
            machine=platform.machine(),
        )
        stack = describe_stack(engine.endpoint_url)
        surroundings.front.lead_to(stack)
        create_demo_project(stack, surroundings.inbox)
        yield Local(engine=engine, stack=stack, surroundings=surroundings, gate=gate)


@pytest.fixture(scope="session")
def built() -> None:
    """What the engine runs. Make does nothing when it is there and up to date."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "--silent", "setup", "build"], cwd=ROOT, env=environment, check=True)  # noqa: S607
