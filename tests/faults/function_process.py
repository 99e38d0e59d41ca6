"""The warm process of `deliver`: for each line on its standard input it forks one that handles the event, and may die.

It answers with lines of JSON: the new process's id, what the handler returned if it lived to, and then how it ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.handlers import BUILTIN_HANDLERS
from tocsin import wiring

from functions.deliver.app import lambda_handler
from tests.faults.death import Death, Steps

if TYPE_CHECKING:
    from typing import TextIO

_SECONDS = 60.0
_SERVICES = ("dynamodb", "events", "secretsmanager", "sqs")


@dataclass
class _Context:
    """What Lambda tells a function about its invocation."""

    ends_at: float = field(default_factory=lambda: time.monotonic() + _SECONDS)
    function_name: str = "deliver"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:deliver"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_at - time.monotonic()) * 1000)


def main() -> None:
    """Serve until the input ends. What the function logs goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    steps = _warmed_up()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _handle(asked, steps, answers)
        _say(answers, pid=pid)
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        _say(answers, status=ended.si_status if ended is not None else None)
        sys.stdin.readline()  # until the other side says so, the id stays this process's: it may want to kill it
        os.waitpid(pid, 0)


def _warmed_up() -> Steps:
    """Make what each process would make again, but no connection and no thread."""
    steps = Steps()
    BUILTIN_HANDLERS.extend([("before-send", steps.call), ("after-call", steps.call)])
    for service in _SERVICES:
        wiring.client(service)
    return steps


def _handle(asked: dict[str, Any], steps: Steps, answers: TextIO) -> None:
    status = 1
    try:
        steps.watch(Death(**asked["death"]) if asked["death"] else None)
        returned: dict[str, Any] = lambda_handler(asked["event"], _Context())
        _say(answers, returned=returned, lines=steps.lines, calls=steps.calls)
        status = 0
    finally:
        os._exit(status)


def _say(answers: TextIO, **fields: object) -> None:
    answers.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    main()
