"""Wherever a sweep dies, what was parked goes in the end, and each mail once."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin import wiring, wiring_sweep

from tests.functional.deliver.stack import LOGIN
from tests.functional.sweep.conftest import FIRST
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme
    from tests.functional.sweep.conftest import Marks, Sent, Sweep

_ANA, _BO = "ana@example.org", "bo@example.org"
_CALLS = 8  # marks, the mark, what is parked, its entries, the release, the message, the progress, the end of the pass


class _Died(BaseException):
    """The function was killed."""


@contextmanager
def _dying_before(call: int) -> Iterator[list[str]]:
    """Kill whoever is about to make the call with this number; the operations that were begun."""
    begun: list[str] = []
    clients = [wiring.client(service) for service in ("dynamodb", "sqs")]

    def count(model: object, **_: object) -> None:
        begun.append(str(getattr(model, "name", "")))
        if len(begun) == call:
            raise _Died

    for client in clients:
        client.meta.events.register("before-call", count)
    yield begun
    for client in clients:
        client.meta.events.unregister("before-call", count)


def _nobody(*trouble: str) -> None:
    raise AssertionError(trouble)


@pytest.mark.parametrize("call", range(1, _CALLS + 2))
def test_a_sweep_that_dies_before_a_call_loses_nothing(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, sent: Sent, call: int
) -> None:
    with Relay(**LOGIN, script={"auth": [Say("535 5.7.8 no")]}) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA, _BO))
        account = wiring.grants().read(acme.id, acme.account_id)
        assert account is not None
        after = account.model_copy(update={"verified_at": datetime.now(UTC)})
        wiring.grants().update(account, after, refresh_at=None)
        marks.let_pass(FIRST)
        with _dying_before(call) as begun, pytest.raises(_Died):
            wiring_sweep.sweep_due(_nobody)(until=time.monotonic() + 30)  # the handler would report no metrics
        assert len(begun) == call

        sweep()
        past = (datetime.now(UTC) - timedelta(minutes=16)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for recipient in (_ANA, _BO):  # let the time pass after which a message counts as lost
            acme.overwrite(recipient, retry_at=past)
        sweep()
        acme.let_breaker_try()
        for _ in sent(acme):
            assert deliver(acme.pointer(), queue="BulkQueue") == []

        assert acme.states() == {_ANA: "accepted", _BO: "accepted"}
        assert sorted(address for mail in relay.mails for address in mail.rcpt_to) == [_ANA, _BO]
