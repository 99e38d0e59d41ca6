"""One moto stack for all functional tests; each test has a project of its own."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

import moto.dynamodb.models
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models.table import Table
from tocsin import wiring

from tests.functional.deliver.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Tocsin",
    "MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR": "false",  # each test begins with empty queues
}


@dataclass
class Context:
    """What Lambda tells a function about its invocation."""

    seconds: float = 60.0
    function_name: str = "deliver"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:deliver"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """The time left, which in these tests stands still."""
        return int(self.seconds * 1000)


def _one_at_a_time(patch: pytest.MonkeyPatch) -> None:
    """Make moto answer one call after the other: its transactions are not isolated from other threads.

    It copies a whole table for each item of a transaction, before it writes the first; once is enough.
    """
    lock, answer = RLock(), BotocoreStubber.__call__

    def locked(stubber: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (moto's own signature)
        with lock:
            copies.clear()
            return answer(stubber, *args, **kwargs)

    copies = _Copies()
    patch.setattr(BotocoreStubber, "__call__", locked)
    patch.setattr(moto.dynamodb.models, "copy", copies)


class _Copies:
    """Copies each table once, until it is cleared."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def clear(self) -> None:
        """Forget the copies."""
        self._made = {}

    def deepcopy(self, original: Any) -> Any:  # noqa: ANN401  (as the function that it stands for)
        """A copy; of a table, the one that was made."""
        if not isinstance(original, Table):
            return copy.deepcopy(original)
        if id(original) not in self._made:
            self._made[id(original)] = copy.deepcopy(original)
        return self._made[id(original)]


@pytest.fixture(scope="module")
def whole_stack(stack_of_all: Stack) -> Stack:
    """The stack, with whatever earlier tests of the module left in it: moto copies a table for each transaction."""
    stack_of_all.forget_items()
    return stack_of_all


@pytest.fixture(scope="session")
def stack_of_all() -> Iterator[Stack]:
    """The stack that all modules share."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        _one_at_a_time(environment)
        for name, value in _AWS.items():
            environment.setenv(name, value)
        stack = Stack()
        for name, value in stack.environment.items():
            environment.setenv(name, value)
        configure_with_every_port_allowed()
        yield stack


def configure_with_every_port_allowed() -> None:
    """Let every port of the loopback address be a relay of some test; too long for an environment that is inherited."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALLOWED_PRIVATE_HOSTS", ",".join(f"127.0.0.1:{port}" for port in range(1, 65536)))
        wiring.config()
