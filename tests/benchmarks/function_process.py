"""A warm function in a process of its own: for each event on standard input it calls the handler named as argument.

It answers with a line of JSON: what the handler returned, the seconds it took, and the requests to AWS that left the
process meanwhile, attempts that had to be repeated included. What the handler logs goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.handlers import BUILTIN_HANDLERS

if TYPE_CHECKING:
    from typing import TextIO

_SECONDS = 60.0


@dataclass
class _Context:
    """What Lambda tells a function about its invocation."""

    ends_at: float = field(default_factory=lambda: time.monotonic() + _SECONDS)
    function_name: str = "bench"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_at - time.monotonic()) * 1000)


def main() -> None:
    """Serve until the input ends."""
    calls: list[str] = []
    _watch(calls)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    handler = importlib.import_module(sys.argv[1]).lambda_handler
    for line in sys.stdin:
        event = json.loads(line)
        calls.clear()
        begun = time.perf_counter()
        returned = handler(event, _Context())
        _say(answers, returned=returned, seconds=time.perf_counter() - begun, calls=calls)


def _watch(calls: list[str]) -> None:
    """Have every client that is made from now on note its requests as they leave, as `dynamodb.GetItem`."""

    def note(event_name: str, **_: Any) -> None:  # noqa: ANN401  (botocore's handlers take what they like)
        calls.append(event_name.partition(".")[2])

    BUILTIN_HANDLERS.append(("before-send", note))


def _say(answers: TextIO, **fields: object) -> None:
    answers.write(json.dumps(fields) + "\n")


if __name__ == "__main__":
    main()
