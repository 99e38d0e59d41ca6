"""Every subscriber's mail has a way out: the publisher's own, else ours; and nobody else's mail has one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.fleet import Fleet
from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.test_calls import calls
from tests.functional.unsubscribe.conftest import ANA, BO, PAGE, World, visit
from tests.relay import Relay

if TYPE_CHECKING:
    from collections import Counter

    from tests.functional.deliver.stack import Acme, Json

__all__ = ["calls"]  # a fixture

OURS = "https://tocsin.example/unsubscribe/"
LONG = f"https://status.acme.example/{'x' * 900}"


def test_a_subscriber_without_a_link_gets_ours_in_the_header_and_in_both_texts(world: World) -> None:
    world.tell(ANA)

    [mail] = world.mails()
    link = world.link()
    assert re.fullmatch(r"https://tocsin\.example/unsubscribe/[A-Za-z0-9_-]+", link)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for subtype in ("plain", "html"):
        part = mail.get_body((subtype,))
        assert part is not None
        assert link in part.get_content()


def test_each_subscriber_has_a_link_of_his_own_and_the_publisher_s_comes_first(world: World) -> None:
    world.tell(ANA, {"email": BO, "unsubscribe_url": "https://status.acme.example/leave/bo"}, "cy@example.org")

    links = {str(mail["To"]): str(mail["List-Unsubscribe"]).strip("<>") for mail in world.mails()}

    assert links[BO] == "https://status.acme.example/leave/bo"
    assert visit(links[ANA]).body != visit(links["cy@example.org"]).body
    assert all("tocsin.example" in links[one] for one in (ANA, "cy@example.org"))


@pytest.mark.parametrize(
    ("given", "footer"),
    [
        pytest.param("mailto:leave@acme.example", OURS, id="mailbox"),
        pytest.param("javascript:alert(1)", OURS, id="script"),
        pytest.param("/unsubscribe/1", OURS, id="no-host"),
        pytest.param("", OURS, id="nothing"),
        pytest.param("http://status.acme.example/leave", "http://status.acme.example/leave", id="http"),
        pytest.param(LONG, LONG, id="too-long-for-a-header"),
    ],
)
def test_where_theirs_takes_more_than_a_click_the_header_has_ours(world: World, given: str, footer: str) -> None:
    world.tell({"email": ANA, "unsubscribe_url": given})

    [mail] = world.mails()
    text = mail.get_body(("plain",))
    assert text is not None
    assert world.link().startswith(OURS)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"Unsubscribe: {footer}" in text.get_content()


def test_the_link_is_the_same_in_every_try(world: World) -> None:
    event = world.tell(ANA)
    first = world.mails()[-1]
    world.acme.overwrite(ANA, state="deferred", retry_at="2026-01-01T00:00:00.000000Z")
    world.deliver(event, receive_count=2)

    again = world.mails()[-1]
    assert (len(world.mails()), again["Message-ID"]) == (2, first["Message-ID"])
    assert again["List-Unsubscribe"] == first["List-Unsubscribe"]


@pytest.mark.parametrize(
    "type_",
    ["incident.created", "alert.created", "status_page.created", "status_page.subscription_confirm"],
)
def test_owners_and_those_who_just_asked_have_nothing_to_leave(world: World, type_: str) -> None:
    world.acme.project = {"default_mail_account_id": world.acme.account_id}
    world.acme._save_project()  # noqa: SLF001  (what `save` does beside its account)
    world.tell(ANA, type=type_)

    [mail] = world.mails()
    assert [name for name in ("List-Unsubscribe", "List-Id", "Precedence", "Feedback-ID") if name in mail] == []
    assert b"/unsubscribe/" not in world.relay.mails[0].content


def test_a_list_s_mails_name_it_and_no_recipient(world: World) -> None:
    world.tell(ANA, BO)

    project = world.acme.id
    for mail in world.mails():
        assert mail["List-Id"] == f"Acme Status <public.{project}.tocsin.example>"
        assert mail["Feedback-ID"] == f"public:{project}:status_page.incident_created:tocsin"
        assert mail["Precedence"] == "bulk"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["X-Auto-Response-Suppress"] == "All"


@pytest.mark.parametrize(("page_id", "has_link"), [("p" * 200, True), ("p" * 201, False)])
def test_a_page_with_an_endless_id_has_no_way_out_of_ours(world: World, page_id: str, *, has_link: bool) -> None:
    page: Json = PAGE | {"id": page_id}

    world.tell(ANA, page=page)

    assert ("List-Unsubscribe" in world.mails()[0]) is has_link


def test_a_warm_notification_to_one_subscriber_costs_no_more_calls_than_one_to_an_owner(
    acme: Acme, calls: Counter[str]
) -> None:
    acme.changes = {"limits": {"connections": 4}}
    with Relay(**LOGIN) as relay, Fleet.of(1) as fleet:
        acme.save(relay)
        for address in (ANA, BO):
            event = acme.event(address, type="status_page.incident_created")
            event["data"]["status_page"] = PAGE
            calls.clear()
            fleet.publish(event)
            fleet.work_once()

    assert calls == {"BatchGetItem": 1, "TransactWriteItems": 2, "PutEvents": 1}
    assert all(b"/unsubscribe/" in mail.content for mail in relay.mails)
