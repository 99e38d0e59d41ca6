"""Trouble with AWS: a call that the function makes is refused, or done and its answer lost, behind botocore's tries."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError
from tocsin import wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SERVICES = ("dynamodb", "events", "s3", "secretsmanager", "sqs")
_ENDPOINT = "https://aws.example"

type Json = dict[str, Any]
type Afflicted = Callable[[Call], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the function: its number, from 0, the name of its operation, and what was asked, as text."""

    number: int
    name: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens to a call instead of an answer: it is refused with this error, or done and its answer is lost."""

    error: Json = field(default_factory=dict)
    status: int = 400
    is_done: bool = False


def refused(code: str, *, status: int = 400, **more: Any) -> Trouble:  # noqa: ANN401  (what the service adds)
    """The call is refused with this code."""
    return Trouble(error={"Error": {"Code": code, "Message": ""}, **more}, status=status)


LOST_ANSWER = Trouble(is_done=True)


@contextmanager
def trouble_with_aws(trouble: Trouble, *, at: Afflicted) -> Iterator[list[Call]]:
    """Afflict those of the function's calls for which `at` is true; all of them, as they are made."""
    calls: list[Call] = []

    def before(model: Any, params: Json, **_: object) -> tuple[_Answer, Json] | None:  # noqa: ANN401  (botocore's)
        calls.append(Call(number=len(calls), name=model.name, body=_text(params["body"])))
        if trouble.is_done or not at(calls[-1]):
            return None
        answer = {**trouble.error, "ResponseMetadata": {"HTTPStatusCode": trouble.status}}
        return _Answer(status_code=trouble.status), answer

    def after(**_: object) -> None:
        if trouble.is_done and at(calls[-1]):
            raise ReadTimeoutError(endpoint_url=_ENDPOINT)

    emitters = [wiring.client(service).meta.events for service in _SERVICES]
    for emitter in emitters:
        emitter.register_first("before-call", before)
        emitter.register_last("after-call", after)
    try:
        yield calls
    finally:
        for emitter in emitters:
            emitter.unregister("before-call", before)
            emitter.unregister("after-call", after)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status_code: int


def _text(body: Any) -> str:  # noqa: ANN401  (whatever the service's protocol makes)
    return body.decode() if isinstance(body, bytes) else str(body)
