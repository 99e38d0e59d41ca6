"""Notifications with files that may be large come one after the other: the function's memory holds one at a time."""

from __future__ import annotations

import json
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import pytest
from tocsin.actions.delivery_run import Outcome, TimeLeft
from tocsin.actions.receive import Receive
from tocsin.errors import TooLate

from tests.unit.actions.test_read_attachments import FakePayloads, event, inlined, reference
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.actions.deliver import Deliver
    from tocsin.actions.receive import BulkQueue, DeadLetters, Journals, Payloads, RejectionBus

NO_TIME = TimeLeft(seconds=lambda: 1.0, monotonic=lambda: 0.0, function_timeout=60.0)
REFERRED = {"name": "log.txt", "ref": reference("acme/log", b"line\n").model_dump()}


class FakeJournals:
    """Begins the journals of chunks that are new."""

    def begin(self, *_: object, received_at: object) -> None:
        """Nothing is written in this test."""


def _receive(deliver: Callable[..., Outcome]) -> Receive:
    nothing: Any = None
    return Receive(
        deliver=cast("Deliver", deliver),
        journals=cast("Journals", FakeJournals()),
        payloads=cast("Payloads", FakePayloads({"acme/log": b"line\n"})),
        bulk_queue=cast("BulkQueue", nothing),
        dead_letters=cast("DeadLetters", nothing),
        bus=cast("RejectionBus", nothing),
        clock=lambda: NOW,
    )


def _occupied(receive: Receive) -> Receive:
    """Let another thread have the place."""
    other = Thread(target=receive.large_files_at_a_time.acquire)
    other.start()
    other.join()
    return receive


def test_a_second_one_is_given_back_where_the_first_takes_all_the_time_there_is() -> None:
    receive = _occupied(_receive(lambda *_, **__: Outcome()))

    with pytest.raises(TooLate):
        receive.notification(json.dumps(event(REFERRED)), seen_before=False, time_left=NO_TIME)


@pytest.mark.parametrize("attachments", [[], [inlined(b"small")]], ids=["no-file", "a-file-in-the-event"])
def test_those_with_small_files_or_none_never_wait(attachments: list[dict[str, Any]]) -> None:
    receive = _occupied(_receive(lambda *_, **__: Outcome()))

    outcome = receive.notification(json.dumps(event(*attachments)), seen_before=False, time_left=NO_TIME)

    assert outcome.rejected is None


def test_the_files_are_read_while_the_place_is_held_and_it_is_given_back() -> None:
    held: list[bool] = []

    def deliver(*_: object, files: Callable[[], object], **__: object) -> Outcome:
        held.append(_is_held(receive))
        assert files()
        return Outcome()

    receive = _receive(deliver)
    receive.notification(json.dumps(event(REFERRED)), seen_before=False, time_left=NO_TIME)

    assert held == [True]
    assert not _is_held(receive)


def _is_held(receive: Receive) -> bool:
    """Whether another thread finds the place taken."""
    found: list[bool] = []

    def look() -> None:
        found.append(not receive.large_files_at_a_time.acquire(blocking=False))

    other = Thread(target=look)
    other.start()
    other.join()
    return found[0]
