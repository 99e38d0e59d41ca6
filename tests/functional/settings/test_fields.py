"""The fields of mail accounts at their limits: slugs, senders, signatures, and what cannot be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.settings.conftest import MAILBOX, password_account
from tests.relay.authority import authority

if TYPE_CHECKING:
    from tests.functional.settings.conftest import Desk, Json


def test_a_slug_belongs_to_one_account_of_a_project_at_a_time(desk: Desk) -> None:
    first, second = desk.create(slug="ops")["id"], desk.create(slug="pages")["id"]

    taken = desk.patch(second, {"slug": "ops"})
    also_taken = desk.ask("POST", "", password_account(slug="ops"))
    assert [(one.status, one.json["errors"][0]["field"]) for one in (taken, also_taken)] == [(422, "slug")] * 2
    assert desk.patch(first, {"slug": "day"}).status == 200
    assert desk.patch(second, {"slug": "ops"}).status == 200
    desk.ask("DELETE", f"/{second}")
    assert desk.ask("POST", "", password_account(slug="ops")).status == 201
    assert {item["sk"]["S"] for item in desk.items("slug#")} == {"slug#day", "slug#ops"}


@pytest.mark.parametrize(
    ("pem", "status"),
    [
        ("{good}", 201),
        ("Größte CA\n{good}\n{good}", 201),
        ("-----BEGIN CERTIFICATE-----", 422),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 422),
        ("{good}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 422),
        ("-----BEGIN CERTIFICATE-----\nMIIBSjCB8qADÄgECAhRMF\n-----END CERTIFICATE-----\n", 422),
    ],
    ids=["one", "two", "begun", "no-certificate", "one-and-none", "broken"],
)
def test_a_ca_certificate_is_saved_only_if_tls_can_load_it(desk: Desk, pem: str, status: int) -> None:
    text = pem.format(good=authority().pem)
    relay = {"host": "relay.example.org", "port": 587, "security": "starttls", "ca_certificate": text}

    answer = desk.ask("POST", "", password_account(relay=relay))

    assert answer.status == status, answer.body
    assert [one["field"] for one in answer.json.get("errors", [])] == ["relay.ca_certificate"] * (status == 422)


def test_the_first_sender_is_the_default_unless_another_is(desk: Desk) -> None:
    senders = [{"email": "a@acme.example"}, {"email": "b@acme.example"}]

    first = desk.create(senders=senders)
    second = desk.create(senders=[senders[0], senders[1] | {"default": True}])

    assert [sender["default"] for sender in first["senders"]] == [True, False]
    assert [sender["default"] for sender in second["senders"]] == [False, True]


@pytest.mark.parametrize(
    ("written", "kept", "text"),
    [
        ("Acme Ops\nPhone 1 & 2", "Acme Ops<br>Phone 1 &amp; 2", "Acme Ops\nPhone 1 & 2"),
        ("<b>Acme</b><script>alert(1)</script>", "<b>Acme</b>", "Acme"),
        ('<p onclick="x()">Acme</p><p>Ops</p>', "<p>Acme</p><p>Ops</p>", "Acme\n\nOps"),
        ('<img src="http://t.example/x.png" alt="Acme">', '<img alt="Acme">', "Acme"),
        ('<a href="javascript:x()">Acme</a>', '<a rel="noopener noreferrer">Acme</a>', "Acme"),
        (
            '<a href="https://acme.example/">Acme</a>',
            '<a href="https://acme.example/" rel="noopener noreferrer">Acme</a>',
            "Acme (https://acme.example/)",
        ),
        ('<span style="color:red;position:fixed">A</span>', '<span style="color:red">A</span>', "A"),
        ("<!-- {{ secret }} --><i>{{ x }}</i>", "<i>{{ x }}</i>", "{{ x }}"),
    ],
    ids=["text", "script", "handler", "tracker", "javascript", "link", "style", "template"],
)
def test_a_signature_is_cut_down_to_what_is_harmless(desk: Desk, written: str, kept: str, text: str) -> None:
    senders = [{"email": "ops@acme.example", "signature": written}]

    [sender] = desk.create(senders=senders)["senders"]

    assert (sender["signature"], sender["signature_text"]) == (kept, text)


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"relay": {"nonsense": 1}}, "relay.nonsense"),
        ({"status": "verified"}, "status"),
        ({"name": None}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"slug": "Ops"}, "slug"),
        ({"slug": "a" * 64}, "slug"),
        ({"description": "a" * 2001}, "description"),
        ({"provider": "nobody"}, "provider"),
        ({"transport": "graph"}, "transport"),
        ({"transport": "pigeon"}, "transport"),
        ({"location": "EU"}, "location"),
        ({"enabled": "yes"}, "enabled"),
        ({"use_for": ["pager"]}, "use_for.0"),
        ({"relay": {"port": "587"}}, "relay.port"),
        ({"relay": {"port": 0}}, "relay.port"),
        ({"relay": {"port": 65536}}, "relay.port"),
        ({"relay": {"host": "a b"}}, "relay.host"),
        ({"relay": {"host": "http://a/"}}, "relay.host"),
        ({"relay": {"host": "a" * 254}}, "relay.host"),
        ({"relay": {"timeout_seconds": 0}}, "relay.timeout_seconds"),
        ({"relay": {"timeout_seconds": 121}}, "relay.timeout_seconds"),
        ({"relay": {"ca_certificate": "none"}}, "relay.ca_certificate"),
        ({"auth": {"password": ""}}, "auth.password"),
        ({"auth": {"password": "a" * 20_001}}, "auth.password"),
        ({"auth": {"username": "a\r\nb"}}, "auth.username"),
        ({"auth": {"oauth2": {}}}, "auth.oauth2.grant"),
        ({"senders": []}, "senders"),
        (
            {"senders": [{"email": "ops@acme.example", "default": True}, {"email": "b@c.example", "default": True}]},
            "(body)",
        ),
        ({"senders": [{"email": "ops@acme.example"}, {"email": "OPS@acme.example"}]}, "(body)"),
        ({"senders": [{"email": "ops@acme.example", "reply_to": "nobody"}]}, "senders.0.reply_to"),
        ({"senders": [{"email": "ops@acme.example", "signature": "a" * 20_001}]}, "senders.0.signature"),
        ({"limits": {"connections": 0}}, "limits.connections"),
        ({"limits": {"connections": 101}}, "limits.connections"),
        ({"limits": {"per_day": 0}}, "limits.per_day"),
        ({"mailbox": MAILBOX | {"purpose": ["gossip"]}}, "mailbox.purpose.0"),
        ({"mailbox": MAILBOX | {"folder": "A\nB"}}, "mailbox.folder"),
    ],
)
def test_what_cannot_be_saved_is_answered_with_its_field_and_changes_nothing(
    desk: Desk, patch: Json, field: str
) -> None:
    account_id = desk.create()["id"]
    before = desk.item(account_id)

    answer = desk.patch(account_id, patch)

    assert answer.status == 422
    assert field in {error["field"] for error in answer.json["errors"]}
    assert desk.item(account_id) == before
