"""The records of a batch are worked on side by side, and the batch always answers in time."""

from __future__ import annotations

import io
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from functions.deliver.side_by_side import work_side_by_side
from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Hang, Relay

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke


def test_only_the_record_that_failed_is_given_back(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        owned = acme.event("ana@example.org")
        deliver(owned)
        acme.overwrite("ana@example.org", state="submitting")
        acme.own_chunk()

        assert deliver(acme.event("bo@example.org"), owned, "not json", receive_count=2) == ["message-1"]

    assert acme.states() == {"ana@example.org": "submitting", "bo@example.org": "accepted"}


def test_an_account_whose_relay_hangs_holds_up_no_other_account(acme: Acme, deliver: Invoke) -> None:
    other = Acme()
    with Relay(**LOGIN) as healthy:
        with Relay(**LOGIN, script={"ehlo": Hang()}) as hanging:
            acme.changes = {"relay": acme.relay(hanging, timeout_seconds=20)}
            acme.save(hanging)
            other.save(healthy)
            batch = Thread(target=deliver, args=(acme.event("ana@example.org"), other.event("bo@example.org")))
            batch.start()
            while not healthy.mails and batch.is_alive():
                batch.join(0.02)
            hanging_still = batch.is_alive()
        batch.join()

    assert hanging_still
    assert other.states() == {"bo@example.org": "accepted"}


@pytest.mark.parametrize("seconds", [0.5, 10.0])
def test_a_record_not_begun_with_too_little_time_left_is_given_back_untouched(
    acme: Acme, deliver: Invoke, seconds: float
) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(acme.event("ana@example.org"), seconds=seconds) == ["message-0"]

    assert acme.states() == {}
    assert relay.connections == 0


def test_a_record_whose_work_never_ends_is_reported_as_not_done() -> None:
    release = Event()

    done = work_side_by_side(["quick", "stuck"], lambda name: name == "quick" or release.wait(), seconds=0.2)
    release.set()

    assert [(worked.record, worked.outcome, worked.error) for worked in done] == [
        ("quick", True, None),
        ("stuck", None, None),
    ]


def test_nothing_but_ids_is_logged(acme: Acme, deliver: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    from functions.deliver.app import logger  # noqa: PLC0415  (after the stack is there)

    logged = io.StringIO()
    stream = logger.registered_handler.setStream(logged)  # type: ignore[attr-defined]  # it is a StreamHandler
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(acme.event("ana@example.org", "two@@example.org"), "not json")
    logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]  # as above

    text = logged.getvalue() + capsys.readouterr().out
    assert "chunk_delivered" in text
    assert "DeliveriesAccepted" in text
    for private in ("example.org", "secret", "Checkout", '"ops"'):
        assert private not in text
