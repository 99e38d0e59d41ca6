"""What these tests share: subscribers of a status page, their mails, and whatever opens the links in them."""

from __future__ import annotations

import email.policy
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.functional.deliver.conftest import acme, deliver, stack
from tests.functional.deliveries.conftest import admin
from tests.functional.http_api import call
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json
    from tests.functional.http_api import Answer

__all__ = ["acme", "admin", "deliver", "stack"]  # fixtures

ANA, BO = "ana@example.org", "bo@example.org"
ONE_CLICK = "List-Unsubscribe=One-Click"
PAGE: Json = {"id": "public", "name": "Acme Status", "url": "https://status.acme.example"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A project whose account works, and its relay."""

    acme: Acme
    deliver: Invoke
    relay: Relay

    def tell(self, *recipients: str | Json, type: str = "status_page.incident_created", page: Json = PAGE) -> Json:  # noqa: A002  (the event's word)
        """Deliver a notification of the page; the event."""
        people = [one if isinstance(one, dict) else {"email": one} for one in recipients]
        event = self.acme.event(type=type)
        event["data"] |= {"recipients": people, "status_page": page, "confirm_url": "https://status.acme.example/c"}
        assert self.deliver(event) == []
        return event

    def mails(self) -> list[EmailMessage]:
        """What the relay has taken, oldest first."""
        return [message_from_bytes(mail.content, policy=email.policy.default) for mail in self.relay.mails]

    def told(self) -> list[str]:
        """To whom the relay has taken mail, oldest first."""
        return [recipient for mail in self.relay.mails for recipient in mail.rcpt_to]

    def link(self) -> str:
        """The way out in the newest mail."""
        return str(self.mails()[-1]["List-Unsubscribe"]).strip("<>")


@pytest.fixture
def world(acme: Acme, deliver: Invoke) -> Iterator[World]:
    """The project, saved."""
    with Relay(security="starttls", mechanisms=("PLAIN",), passwords={"ops": "secret"}) as relay:
        acme.save(relay)
        yield World(acme=acme, deliver=deliver, relay=relay)


def visit(url: str, *, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
    """Open a link, as API Gateway hands it over."""
    from functions.authorize.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)

    return call(lambda_handler, method, urlsplit(url).path, body=body, headers=_FORM | headers)


def one_click(url: str) -> Answer:
    """What a mailbox provider does when its user presses the button (RFC 8058)."""
    return visit(url, method="POST", body=ONE_CLICK)
