"""A code goes to its one recipient and nowhere else, and not when it is of no use any more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack

_ANA, _CODE = "ana@example.org", "481-516-2342"


def _save(acme: Acme, relay: Relay) -> None:
    acme.project = {"default_mail_account_id": acme.account_id}
    acme.save(relay)


def _event(acme: Acme, *, minutes_ago: int = 0) -> dict[str, Any]:
    event = acme.event(_ANA, type="account.verification_code")
    event["time"] = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    event["data"] |= {"code": _CODE, "expires_minutes": 15}
    return event


@pytest.mark.parametrize(
    ("script", "state"),
    [
        pytest.param({}, "accepted", id="accepted"),
        pytest.param({"rcpt": Say("550 5.1.1 no such user")}, "refused", id="refused"),
        pytest.param({"mail": Say("451 4.3.0 later")}, "deferred", id="deferred"),
    ],
)
def test_a_code_stands_in_its_mail_and_in_no_log_and_on_no_bus(
    stack: Stack, acme: Acme, deliver: Invoke, capsys: pytest.CaptureFixture[str], script: dict[str, Any], state: str
) -> None:
    with Relay(**LOGIN, script=script) as relay:
        _save(acme, relay)
        deliver(_event(acme))

    assert acme.states() == {_ANA: state}
    assert [_CODE in mail.content.decode() for mail in relay.mails] == [True] * (state == "accepted")
    assert _CODE not in "".join(capsys.readouterr())
    assert _CODE not in json.dumps(stack.events())
    assert _CODE not in json.dumps(acme.deliveries(), default=str)


def test_a_code_that_waited_for_too_long_expires(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        _save(acme, relay)
        deliver(_event(acme, minutes_ago=16))

    assert acme.states() == {_ANA: "expired"}
    assert relay.mails == []


def test_a_code_for_two_is_rejected(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    event = _event(acme)
    event["data"]["recipients"].append({"email": "bo@example.org"})
    with Relay(**LOGIN) as relay:
        _save(acme, relay)
        deliver(event)

    [dead] = stack.messages("DeadLetterQueue")
    assert dead["reason"].startswith("too_many_recipients")
    assert _CODE not in dead["reason"]
    assert relay.mails == []
