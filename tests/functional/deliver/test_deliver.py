"""The main job: an event on the queue becomes a mail at the relay, once, and the journal knows."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from typing import TYPE_CHECKING

from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack


def test_an_event_becomes_a_mail_and_is_journaled_accepted(stack: Stack, acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(acme.event("Ana@Example.org")) == []

    [mail] = relay.mails
    message = message_from_bytes(mail.content, policy=email.policy.default)
    assert mail.mail_from == "ops@acme.example"
    assert mail.rcpt_to == ("Ana@example.org",)
    assert "Checkout is down" in message["Subject"]
    [delivery] = acme.deliveries().values()
    assert delivery["state"] == "accepted"
    assert delivery["message_id"] == message["Message-ID"]
    assert delivery["attempt"] == 1
    [event] = stack.events()
    assert event["detail-type"] == "delivery.accepted"
    assert event["detail"]["deliveries"][0]["recipient"] == "ana@example.org"
