"""The way out of a status page's list, from the mail over the front to what is not sent any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from local.arrivals import arrivals
from local.samples import publish
from tests.local.events import arrived, new_event
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from tests.local.conftest import Local

pytestmark = pytest.mark.local

READER = "leaving@example.net"


def test_one_click_in_a_mail_ends_the_mails_of_its_status_page(local: Local) -> None:
    first, second = (new_event(READER, type_="status_page.incident_created") for _ in range(2))
    publish([first], local.stack)
    [arrival] = wait_until(lambda: arrived([first], local), "the first mail")
    assert arrival.mail is not None
    link = str(arrival.mail.message["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{local.surroundings.front.url}/unsubscribe/")

    looked = requests.get(link, timeout=60)
    left = requests.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=60)
    publish([second], local.stack)

    wait_until(lambda: arrivals(second, stack=local.stack, mailbox=local.inbox.mailbox)[0].state, "an end")
    [end] = arrivals(second, stack=local.stack, mailbox=local.inbox.mailbox)
    assert (looked.status_code, left.status_code) == (200, 200)
    assert (end.state, end.mail) == ("suppressed", None)
