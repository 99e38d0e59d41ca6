"""Who leaves a status page's list gets nothing more of it, everything else still, and may come back."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tocsin import wiring_subscriptions
from tocsin.model.signed_token import LinkKey
from tocsin.model.subscription import LINKS_HOLD, Subscription

from tests.functional.unsubscribe.conftest import ANA, BO, ONE_CLICK, PAGE, World, one_click, visit

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Acme
    from tests.functional.deliveries.conftest import Admin
    from tests.functional.http_api import Json

_OTHER_PAGE: Json = PAGE | {"id": "internal"}
_SCOPE = quote("status_page/public", safe="")


def _link(acme: Acme, *, address: str = ANA, age: timedelta = timedelta(0), key: str = "k" * 64) -> str:
    subscription = Subscription(project_id=acme.id, address=address, page_id="public", page_name="Acme Status")
    token = subscription.token(LinkKey(key.encode()), since=wiring_subscriptions.unsubscribe().clock() - age)
    return f"https://tocsin.example/unsubscribe/{token}"


def test_one_click_stops_this_page_s_mail_and_no_other(world: World) -> None:
    world.tell(ANA)

    answer = one_click(world.link())
    world.tell(ANA, BO)
    world.tell(ANA, page=_OTHER_PAGE)
    world.tell(ANA, type="incident.created")

    assert (answer.status, answer.cookies, "location" in answer.headers) == (200, (), False)
    assert world.told() == [ANA, BO, ANA, ANA]


def test_the_delivery_says_that_it_was_suppressed(world: World) -> None:
    one_click(_link(world.acme))

    world.tell(ANA)

    assert world.acme.states() == {ANA: "suppressed"}


@pytest.mark.parametrize("type_", ["status_page.subscription_confirm", "status_page.manage_subscription"])
def test_who_left_still_gets_what_he_asks_for(world: World, type_: str) -> None:
    one_click(_link(world.acme))

    world.tell(ANA, type=type_)

    assert world.told() == [ANA]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_link_changes_nothing(world: World, method: str) -> None:
    world.tell(ANA)

    assert visit(world.link(), method=method).status == 200
    world.tell(ANA)

    assert world.told() == [ANA, ANA]


def test_leaving_twice_is_leaving(world: World, admin: Admin) -> None:
    first, second = (one_click(_link(world.acme)) for _ in range(2))

    assert first == second
    [item] = admin("GET", "/suppressions").json["items"]
    assert item | {"since": None} == {
        "address": ANA,
        "reason": "unsubscribed",
        "scope": "status_page/public",
        "since": None,
        "added_by": None,
    }


def test_an_admin_lets_somebody_back_by_the_scope(world: World, admin: Admin) -> None:
    one_click(_link(world.acme))

    assert admin("DELETE", f"/suppressions/{ANA}").status == 404  # that would be the one for everything
    assert admin("DELETE", f"/suppressions/{ANA}?scope={_SCOPE}").status == 204
    world.tell(ANA)

    assert world.told() == [ANA]


def test_a_reader_comes_back_by_the_same_link(world: World) -> None:
    link = _link(world.acme)
    one_click(link)

    answer = visit(link, method="POST", body="come_back=One-Click")
    world.tell(ANA)

    assert (answer.status, world.told()) == (200, [ANA])


@pytest.mark.parametrize(
    ("scope", "reason"),
    [("all", "unsubscribed"), ("status_page/public", "complained"), ("status_page/public", "manual")],
)
def test_a_reader_does_not_undo_what_others_stopped(world: World, admin: Admin, scope: str, reason: str) -> None:
    admin("POST", "/suppressions", {"address": ANA, "scope": scope, "reason": reason})

    assert visit(_link(world.acme), method="POST", body="come_back=One-Click").status == 200
    world.tell(ANA)

    assert world.acme.states() == {ANA: "suppressed"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(ONE_CLICK, {}, id="as the RFC has it"),
        pytest.param("", {}, id="empty"),
        pytest.param(
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            {"content-type": "multipart/form-data; boundary=x"},
            id="multipart",
        ),
        pytest.param("&".join(["a=b"] * 50), {}, id="too many fields"),
        pytest.param("come_back=1", {"content-type": "text/plain"}, id="no form"),
    ],
)
def test_whatever_a_mail_program_posts_is_leaving(world: World, body: str, headers: dict[str, str]) -> None:
    assert visit(_link(world.acme), method="POST", body=body, **headers).status == 200

    world.tell(ANA)
    assert world.acme.states() == {ANA: "suppressed"}


@pytest.mark.parametrize(
    ("age", "key", "status"),
    [
        pytest.param(LINKS_HOLD - timedelta(minutes=1), "k" * 64, 200, id="old"),
        pytest.param(LINKS_HOLD, "k" * 64, 410, id="too-old"),
        pytest.param(timedelta(0), "x" * 64, 404, id="forged"),
        pytest.param(LINKS_HOLD, "x" * 64, 404, id="forged-and-old"),
    ],
)
def test_only_a_good_link_stops_anything(world: World, age: timedelta, key: str, status: int) -> None:
    link = _link(world.acme, age=age, key=key)

    assert [visit(link).status, one_click(link).status] == [status, status]
    world.tell(ANA)

    assert world.told() == ([] if status == 200 else [ANA])


def test_a_form_may_come_encoded(world: World) -> None:
    from functions.authorize.app import lambda_handler  # noqa: PLC0415  (it makes clients for moto)
    from tests.functional.conftest import Context  # noqa: PLC0415

    link = _link(world.acme)
    one_click(link)
    path = link.removeprefix("https://tocsin.example")
    event: Json = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "body": b64encode(b"come_back=One-Click").decode(),
        "isBase64Encoded": True,
    }

    assert lambda_handler(event, Context(seconds=29.0))["statusCode"] == 200
    world.tell(ANA)

    assert world.told() == [ANA]
