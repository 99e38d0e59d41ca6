"""The stack, built if need be, on an engine of its own with an inbox of its own."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local.demo import create_demo_project
from local.deployment import deploy
from local.engine_process import ROOT, Engine, running_engine
from local.inbox.running import Inbox, running_inbox
from local.stack import Stack, describe_stack
from tests.local.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """All that a test may use. `gate` holds back the inbox's answers."""

    engine: Engine
    stack: Stack
    inbox: Inbox
    gate: Gate


@pytest.fixture(scope="session")
def local(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:  # noqa: ARG001  (wanted first)
    """The deployed stack with the demo project."""
    folder, gate = tmp_path_factory.mktemp("local"), Gate()
    with running_engine(folder / "engine") as engine, running_inbox(folder / "inbox", before_answer=gate) as inbox:
        deploy(engine.endpoint_url, allowed_private_hosts=[inbox.address], machine=platform.machine())
        stack = describe_stack(engine.endpoint_url)
        create_demo_project(stack, inbox)
        yield Local(engine=engine, stack=stack, inbox=inbox, gate=gate)


@pytest.fixture(scope="session")
def built() -> None:
    """What the engine runs. Make does nothing when it is there and up to date."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "--silent", "setup", "build"], cwd=ROOT, env=environment, check=True)  # noqa: S607
