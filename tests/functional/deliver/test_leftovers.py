"""What a dead function or a lost connection left behind comes to an end, also where it can no longer be submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_PAST = "2026-01-01T00:00:00.000000Z"


def _change_account(acme: Acme, **changes: Any) -> None:  # noqa: ANN401  (JSON)
    """Change the stored account while the delivery waits; the cache of 10 s must not hide it."""
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    wiring.settings_store.cache_clear()
    wiring.receive.cache_clear()
    acme.change(**changes)


def _delivered(acme: Acme, deliver: Invoke, relay: Relay, **left_as: str) -> None:
    acme.save(relay)
    deliver(acme.event("ana@example.org"))
    acme.overwrite("ana@example.org", **left_as)
    relay.mails.clear()


@pytest.mark.parametrize(
    ("account", "state"),
    [
        pytest.param({"paused": True}, "parked", id="account-paused"),
        pytest.param({"senders": [{"email": "nobody"}]}, "parked", id="no-sender"),
    ],
)
def test_what_a_dead_function_had_in_flight_is_parked_where_its_account_can_no_longer_send(
    acme: Acme, deliver: Invoke, account: dict[str, Any], state: str
) -> None:
    with Relay(**LOGIN) as relay:
        _delivered(acme, deliver, relay, state="submitting")
        _change_account(acme, **account)

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert acme.states() == {"ana@example.org": state}
    assert relay.mails == []


def test_an_unknown_outcome_waits_while_its_account_cannot_send_and_is_then_submitted_once_more(
    stack: Stack, acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN) as relay:
        _delivered(acme, deliver, relay, state="unknown", retry_at=_PAST)
        _change_account(acme, paused=True)

        assert deliver(acme.pointer(), queue="BulkQueue") == []

        assert acme.states() == {"ana@example.org": "unknown"}
        assert stack.delayed("BulkQueue", acme.id) == 1
        _change_account(acme, paused=False)
        deliver(acme.pointer(), queue="BulkQueue")

    assert acme.states() == {"ana@example.org": "accepted"}
    assert len(relay.mails) == 1


def test_an_unknown_outcome_is_not_submitted_to_an_address_that_was_suppressed_meanwhile(
    acme: Acme, deliver: Invoke
) -> None:
    with Relay(**LOGIN) as relay:
        _delivered(acme, deliver, relay, state="unknown", retry_at=_PAST)
        acme.suppress("ana@example.org")

        assert deliver(acme.pointer(), queue="BulkQueue") == []

    assert acme.states() == {"ana@example.org": "unknown"}
    assert relay.mails == []
