"""A link of ours goes to subscribers who have none, and a key is asked for only then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.offer_way_out import OfferWayOut
from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.event import check_event
from tocsin.model.signed_token import LinkKey
from tocsin.model.subscription import Subscription

from tests.unit.compose.mails import sample
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from tocsin.model.notification import Notification

KEY = LinkKey(b"k" * 32)


@dataclass(slots=True)
class Keys:
    """Keys that count how often they are asked for, and may be out of reach."""

    error: Exception | None = None
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    def current(self) -> LinkKey:
        """Give the key."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return KEY

    def offer(self) -> OfferWayOut:
        """The action with these keys."""
        return OfferWayOut(keys=lambda: self, base_url="https://tocsin.example", on_failure=self.failures.append)


def _notification(*recipients: dict[str, Any], type_: str = "status_page.incident_created") -> Notification:
    event = sample(type_)
    event["data"]["recipients"] = [*recipients]
    return check_event(event)


ANA: dict[str, Any] = {"email": "ana@example.org"}
BO: dict[str, Any] = {"email": "bo@example.org", "unsubscribe_url": "https://status.example.org/leave/bo"}


def test_each_subscriber_s_link_is_his_own() -> None:
    keys = Keys()
    link = keys.offer()(_notification(ANA, BO), since=NOW)

    assert link is not None
    url = link("ana@example.org")
    assert url is not None
    token = url.removeprefix("https://tocsin.example/unsubscribe/")
    assert Subscription.of_token(token, keys=[KEY], now=NOW).address == "ana@example.org"
    assert link("bo@example.org") != url
    assert keys.asked == 1


def test_the_link_depends_on_when_the_notification_came_and_on_nothing_later() -> None:
    links = [Keys().offer()(_notification(ANA), since=since) for since in (NOW, NOW, NOW + timedelta(days=1))]

    first, again, other = (link("ana@example.org") for link in links if link is not None)
    assert first == again != other


@pytest.mark.parametrize(
    "notification",
    [
        pytest.param(_notification(BO), id="own-links"),
        pytest.param(_notification(ANA, type_="incident.created"), id="owners"),
        pytest.param(_notification(ANA, type_="status_page.subscription_confirm"), id="not-subscribed-yet"),
    ],
)
def test_where_nobody_wants_one_no_key_is_asked_for(notification: Notification) -> None:
    keys = Keys(error=TransientError("not now"))

    assert keys.offer()(notification, since=NOW) is None
    assert keys.asked == 0


@pytest.mark.parametrize(
    "url", ["mailto:leave@acme.example", "javascript:alert(1)", "/leave", "http://acme.example/leave", "https://a b/"]
)
def test_a_link_that_takes_more_than_one_click_is_none(url: str) -> None:
    link = Keys().offer()(_notification(ANA | {"unsubscribe_url": url}), since=NOW)

    assert link is not None
    assert link("ana@example.org")


def test_without_a_key_the_mails_go_and_somebody_is_told() -> None:
    keys = Keys(error=SecretUnavailable("there is none"))

    assert keys.offer()(_notification(ANA), since=NOW) is None
    assert keys.failures == ["acme"]


def test_where_the_key_cannot_be_read_now_the_mails_wait() -> None:
    with pytest.raises(TransientError):
        Keys(error=TransientError("not now")).offer()(_notification(ANA), since=NOW)
