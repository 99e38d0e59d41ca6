"""Suppressions over HTTP, and what becomes of mail to an address that is suppressed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest

from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.deliver.trouble import LOST_ANSWER, trouble_with_aws
from tests.functional.deliveries.conftest import ANA, BO, CY, Admin, deliver_now
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.http_api import Json

_URL = "/suppressions"


def _addresses(admin: Admin) -> list[str]:
    return [item["address"] for item in admin("GET", _URL).json["items"]]


def test_an_address_is_suppressed_in_its_canonical_form_and_shown_with_who_wanted_it(acme: Acme, admin: Admin) -> None:
    acme.save(None)

    answer = admin("POST", _URL, {"address": " Ana@EXAMPLE.org", "reason": "complained"})

    assert answer.status == 201
    assert answer.headers["location"] == f"/projects/{acme.id}/suppressions/{ANA}"
    assert answer.json | {"since": None} == {
        "address": ANA,
        "reason": "complained",
        "scope": "all",
        "since": None,
        "added_by": "admin-1",
    }
    assert admin("GET", _URL).json == {"items": [answer.json], "cursor": None}


def test_suppressing_an_address_again_changes_nothing(acme: Acme, admin: Admin) -> None:
    acme.save(None)
    first = admin("POST", _URL, {"address": ANA})

    again = admin("POST", _URL, {"address": "ANA@example.org", "reason": "bounced"})

    assert (again.status, again.json) == (200, first.json)
    assert len(admin("GET", "/audit").json["items"]) == 1


def test_nothing_is_sent_to_it_until_it_is_removed(acme: Acme, deliver: Invoke, admin: Admin) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        admin("POST", _URL, {"address": ANA})
        deliver(acme.event(ANA, BO))
        assert acme.states() == {ANA: "suppressed", BO: "accepted"}

        assert admin("DELETE", f"{_URL}/{quote(ANA)}").status == 204
        deliver(acme.event(ANA))

    assert [mail.rcpt_to for mail in relay.mails] == [(BO,), (ANA,)]


@pytest.mark.parametrize(
    ("script", "state"),
    [({"auth": Say("535 5.7.8 no")}, "parked"), ({f"rcpt {ANA}": Say("452 4.2.2 full")}, "deferred")],
    ids=["parked", "deferred"],
)
def test_what_waits_for_it_becomes_suppressed_when_its_time_comes(
    acme: Acme, deliver: Invoke, admin: Admin, script: Json, state: str
) -> None:
    with Relay(**LOGIN, script=script) as relay:
        acme.save(relay)
        deliver(acme.event(ANA))
        assert acme.states() == {ANA: state}
        admin("POST", _URL, {"address": ANA})
        admin("POST", "/deliveries/redrive", {"states": ["parked"]})

        deliver_now(acme, deliver, ANA)

    assert (acme.states(), relay.mails) == ({ANA: "suppressed"}, [])


@pytest.mark.parametrize(
    "address",
    [
        "o'brien+news@example.org",
        "a/b@example.org",
        "who?#@example.org",
        '"odd one"@example.org',
        "ü@example.org",
        "user%40host@example.org",
    ],
)
@pytest.mark.parametrize("scope", ["all", "status_page/Public page"])
def test_every_address_can_be_named_in_a_path_and_its_location_does(
    acme: Acme, admin: Admin, address: str, scope: str
) -> None:
    acme.save(None)
    location = admin("POST", _URL, {"address": address, "scope": scope}).headers["location"]
    path, _, query = location.removeprefix(f"/projects/{acme.id}").partition("?")
    decoded_once = unquote(path)  # by the gateway

    assert _addresses(admin) == [address]
    assert decoded_once == f"{_URL}/{quote(address, safe='@')}"
    assert admin("DELETE", f"{decoded_once}?{query}").status == 204
    assert _addresses(admin) == []


@pytest.mark.parametrize("octets", [990, 1000, 1001, 3000])
@pytest.mark.parametrize("scope", ["all", "status_page/public"])
def test_the_table_is_asked_for_no_key_that_is_longer_than_it_takes(
    acme: Acme, admin: Admin, octets: int, scope: str
) -> None:
    acme.save(None)

    with trouble_with_aws(LOST_ANSWER, at=lambda _: False) as calls:
        answer = admin("DELETE", f"{_URL}/{'a' * octets}?scope={quote(scope, safe='')}")

    bodies = [json.loads(call.body) for call in calls if call.name == "TransactWriteItems"]
    keys = [body["TransactItems"][0]["Delete"]["Key"]["address"]["S"] for body in bodies]
    assert answer.status == 404
    assert all(len(key.encode()) <= 1024 for key in keys)


def test_removing_what_is_not_suppressed_finds_nothing(acme: Acme, admin: Admin) -> None:
    acme.save(None)

    assert admin("DELETE", f"{_URL}/{ANA}").status == 404
    assert admin("DELETE", f"{_URL}/no-address").status == 404
    assert admin("GET", "/audit").json["items"] == []


def test_the_list_is_paged_by_address(acme: Acme, admin: Admin) -> None:
    acme.save(None)
    for address in (CY, ANA, BO):
        admin("POST", _URL, {"address": address})

    first = admin("GET", f"{_URL}?limit=2").json
    second = admin("GET", f"{_URL}?limit=2&cursor={first['cursor']}").json

    assert [item["address"] for item in first["items"]] == [ANA, BO]
    assert ([item["address"] for item in second["items"]], second["cursor"]) == ([CY], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "address"),
        ({"address": "no address"}, "address"),
        ({"address": "a@b@"}, "address"),
        ({"address": "x" * 401}, "address"),
        ({"address": ANA, "reason": "spite"}, "reason"),
        ({"address": ANA, "scope": "incident"}, "scope"),
        ({"address": ANA, "scope": "status_page/"}, "scope"),
        ({"address": ANA, "scope": "status_page/" + "p" * 201}, "scope"),
        ({"address": ANA, "since": "2026-01-01T00:00:00Z"}, "since"),
    ],
)
def test_what_is_no_suppression_is_refused_by_its_field(acme: Acme, admin: Admin, body: Json, field: str) -> None:
    acme.save(None)

    answer = admin("POST", _URL, body)

    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]
    assert ANA not in answer.body


def test_a_status_page_s_list_is_a_scope_of_its_own(acme: Acme, admin: Admin) -> None:
    acme.save(None)
    of_page = {"address": ANA, "scope": "status_page/Public page"}

    first = admin("POST", _URL, of_page)
    again = admin("POST", _URL, of_page)
    everything = admin("POST", _URL, {"address": ANA})

    assert [answer.status for answer in (first, again, everything)] == [201, 200, 201]
    assert first.headers["location"] == f"/projects/{acme.id}{_URL}/{ANA}?scope=status_page%2FPublic%20page"
    assert [(item["address"], item["scope"]) for item in admin("GET", _URL).json["items"]] == [
        (ANA, "all"),
        (ANA, "status_page/Public page"),
    ]

    assert admin("DELETE", f"{_URL}/{ANA}").status == 204
    assert admin("DELETE", f"{_URL}/{ANA}?scope=status_page%2FPublic%20page").status == 204
    assert _addresses(admin) == []


@pytest.mark.parametrize("scope", ["", "page", "status_page/", "status_page/" + "p" * 201])
def test_what_is_no_scope_is_refused_by_its_name(acme: Acme, admin: Admin, scope: str) -> None:
    acme.save(None)

    answer = admin("DELETE", f"{_URL}/{ANA}?scope={scope}")

    assert (answer.status, [one["field"] for one in answer.json["errors"]]) == (422, ["scope"])


def test_a_list_goes_on_between_two_scopes_of_an_address(acme: Acme, admin: Admin) -> None:
    acme.save(None)
    for scope in ("all", "status_page/public"):
        admin("POST", _URL, {"address": ANA, "scope": scope})

    first = admin("GET", f"{_URL}?limit=1").json
    second = admin("GET", f"{_URL}?limit=1&cursor={first['cursor']}").json

    assert [item["scope"] for page in (first, second) for item in page["items"]] == ["all", "status_page/public"]


def test_a_viewer_reads_and_changes_nothing(acme: Acme, admin: Admin, viewer: Admin) -> None:
    acme.save(None)
    admin("POST", _URL, {"address": ANA})

    assert viewer("POST", _URL, {"address": BO}).status == 403
    assert viewer("DELETE", f"{_URL}/{ANA}").status == 403
    assert _addresses(viewer) == [ANA]


def test_another_project_s_addresses_are_its_own(acme: Acme, admin: Admin) -> None:
    other = Acme()
    for project in (acme, other):
        project.save(None)
    admin("POST", _URL, {"address": ANA})
    stranger = Admin(other.id, f"{other.id}:admin")

    assert _addresses(stranger) == []
    assert stranger("DELETE", f"{_URL}/{ANA}").status == 404
    assert _addresses(admin) == [ANA]


def test_it_is_remembered_who_suppressed_and_who_removed(acme: Acme, admin: Admin) -> None:
    acme.save(None)
    admin("POST", _URL, {"address": ANA})
    admin("DELETE", f"{_URL}/{ANA}")

    entries = admin("GET", "/audit").json["items"]

    assert [(entry["action"], entry["subject"], entry["admin"]) for entry in entries] == [
        ("suppression.removed", ANA, "admin-1"),
        ("suppression.added", ANA, "admin-1"),
    ]
