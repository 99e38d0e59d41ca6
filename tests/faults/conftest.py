"""The AWS that outlives the function, on the local engine, and the function that dies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
import pytest

from local.engine_process import running_engine
from tests.faults.function import running_function
from tests.faults.passage import Passage
from tests.faults.trial import begun_trial
from tests.functional.deliver.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.faults.function import Function
    from tests.faults.trial import Trial

_AWS = {
    "AWS_ACCESS_KEY_ID": "123456789012",  # the engine takes it for the account's id
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Tocsin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the trials of one module share."""

    stack: Stack
    function: Function
    passage: Passage

    def trial(self, *, tls: bool) -> AbstractContextManager[Trial]:
        """A new trial."""
        return begun_trial(self.stack, self.function, self.passage, tls=tls)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An engine with the stack's tables, queues and bus, a way to the relay, and the warm function."""
    folder = tmp_path_factory.mktemp("faults")
    with running_engine(folder / "engine") as engine, pytest.MonkeyPatch.context() as patch, Passage() as passage:
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it would go on with the credentials that it found first
        for name, value in {**_AWS, "AWS_ENDPOINT_URL": engine.endpoint_url}.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "client", cache(boto3.client))  # a client takes longer to make than most calls
        stack = Stack()
        environment = {**stack.environment, "ALLOWED_PRIVATE_HOSTS": f"{passage.host}:{passage.port}"}
        with running_function(folder / "function.log", environment) as function:
            yield Bench(stack=stack, function=function, passage=passage)
