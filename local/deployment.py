"""Deploying the built template: the order to `local.deploy`, which runs under the engine's interpreter."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from local.engine_process import ENGINE_PYTHON, ROOT
from local.stack import STACK_NAME, STAGE, engine_client

BUILT_TEMPLATE = ROOT / ".aws-sam" / "build" / "template.yaml"
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class DeploymentFailed(Exception):
    """The stack does not stand; the message says why, with CloudFormation's events."""


def deploy(endpoint_url: str, *, parameters: dict[str, str], machine: str) -> list[dict[str, str]]:
    """Create or update the stack; return what the engine cannot emulate, as `{what, reason}`.

    `parameters` are template.yaml's, as far as they tell what is around the stack. `machine` is `platform.machine()`:
    the layers were built for it.
    """
    if not BUILT_TEMPLATE.exists():
        raise DeploymentFailed(f"{BUILT_TEMPLATE.relative_to(ROOT)} is missing: run `make build`")
    order = {
        "template": str(BUILT_TEMPLATE),
        "stack_name": STACK_NAME,
        "parameters": _own_parameters(machine) | parameters,
        "endpoint_url": endpoint_url,
    }
    return _run(order)


def _own_parameters(machine: str) -> dict[str, str]:
    return {
        "Stage": STAGE,
        "Architecture": ARCHITECTURES[machine.lower()],
        "DeliverTimeout": "10",  # short, so that a crash shows within a minute
        "QueueVisibilityTimeout": "60",  # six times DeliverTimeout
    }


def _run(order: dict[str, Any]) -> list[dict[str, str]]:
    command = [str(ENGINE_PYTHON), "-m", "local.deploy"]
    with subprocess.Popen(  # noqa: S603  (our own program)
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _load_cloudformation(order["endpoint_url"])
        output, errors = process.communicate(json.dumps(order))
    if process.returncode:
        raise DeploymentFailed(errors.strip())
    drops: list[dict[str, str]] = json.loads(output)["drops"]
    return drops


def _load_cloudformation(endpoint_url: str) -> None:
    """Ask something: the engine takes seconds to load the service, which it can do while the other program loads."""
    engine_client("cloudformation", endpoint_url).list_stacks()
