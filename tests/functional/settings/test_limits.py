"""Every field of every body is taken exactly at its limits and refused beyond them, as the document names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.settings.conftest import MAILBOX, PASSWORD, oauth2_account, password_account
from tests.functional.settings.limits import bodies, limits_of, with_text, written
from tests.identity_provider.keys import application_certificate
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.functional.http_api import Answer
    from tests.functional.settings.conftest import Desk, Json
    from tests.functional.settings.limits import Limit, Made

USER = "ops@acme.example"
ACCOUNT, PROJECT = "MailAccountInput", "ProjectInput"
OPERATIONS = {
    ACCOUNT: {"create_mail_account", "replace_mail_account", "verify_values"},
    PROJECT: {"put_project"},
    "AuthorizationRequest": {"authorize_mail_account"},
    "BulkDelete": {"delete_mail_accounts"},
    "CustomTemplateInput": {"put_template"},
    "MessageWanted": {"send_test_message"},
    "PreviewWanted": {"preview_template"},
    "RedriveRequest": {"redrive"},
    "SuppressionInput": {"add_suppression"},
}
"""Every schema of a body. One that is missing here is one whose limits nobody holds to."""

PATHS = {
    ACCOUNT: "/mail-accounts",
    "BulkDelete": "/mail-accounts/bulk-delete",
    "CustomTemplateInput": "/templates/incident.created",
    "PreviewWanted": "/templates/incident.created/preview",
    "RedriveRequest": "/deliveries/redrive",
    "SuppressionInput": "/suppressions",
}
LIMITS = {body: limits_of(body) for body in OPERATIONS}
NARROWER = {
    ("auth.oauth2.authorization_url", "minLength"): "no URL is so short",
    ("auth.oauth2.token_url", "minLength"): "as above",
    ("auth.oauth2.userinfo_url", "minLength"): "as above",
    ("auth.oauth2.client_certificate", "minLength"): "no certificate is",
    ("cursor", "maxLength"): "we give no cursor that is so long",
    ("time_zone", "maxLength"): "no time zone has so long a name",
}
"""What is refused at its limit as well, for what it means."""

PATTERNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "branding.color": (("#09afAF",), ("#09afA", "#09afAFF", "09afAF", "#09afAg")),
    "branding.background_color": (("#09afAF",), ("#09afA", "#09afAFF", "red")),
    "location": (("a" * 60, "eu-west-1"), ("a" * 61, "", "EU")),
    "mail_account_id": (("none", "0" * 26), ("0" * 25, "0" * 27, "U" * 26)),
    "mailbox.host": (("a",), ("a b", "a/b", "a@b")),
    "provider": (("generic",), ("a" * 41, "", "Generic")),
    "relay.ca_certificate": ((application_certificate(),), ("-----BEGIN CERTIFICATE----", "nonsense")),
    "relay.ehlo_hostname": (("a",), ("a b", "a/b", "a?b")),
    "relay.host": (("a",), ("a b", "a\\b", "a#b")),
    "relay.proxy.host": (("a",), ("a b", "http://a")),
    "return_path": (("/", "/a?b=c#d"), ("", "a", "//a", "/a b", "/\\a")),
    "scope": (("all", f"status_page/{'a' * 200}"), ("", "al", "status_page/", f"status_page/{'a' * 201}")),
    "slug": (("a" * 63, "0"), ("a" * 64, "", "-a", "A")),
    "status_pages.{name}": (("a" * 200, "!"), ("a" * 201, "", "a b", "a#b", "ä")),
    "status_pages.{}.branding.background_color": (("#09afAF",), ("#09afA", "#09afAFF", "red")),
    "status_pages.{}.branding.color": (("#09afAF",), ("#09afA", "#09afAFF", "red")),
    "type": (("a" * 64, f"{'a' * 64}.{'b' * 64}"), ("a" * 65, f"a.{'b' * 65}", "", ".", "A")),
}
"""What stands at the ends of each pattern, and just beyond."""


def _address(length: int) -> str:
    """A short one, among spaces that are no part of it: none is as long as the field."""
    return "a@b".ljust(length)[:length]


def _url(length: int) -> str:
    return "https://a.example/".ljust(length, "b")[:length]


TEXTS: Mapping[str, Made] = {
    "address": _address,
    "admins.[].email": _address,
    "auth.oauth2.authorization_url": _url,
    "auth.oauth2.client_certificate": lambda length: application_certificate().ljust(length)[:length],
    "auth.oauth2.token_url": _url,
    "auth.oauth2.userinfo_url": _url,
    "branding.logo_url": _url,
    "relay.ca_certificate": lambda length: application_certificate().ljust(length),
    "return_path": lambda length: "/".ljust(length, "a"),
    "senders.[].email": _address,
    "senders.[].reply_to": _address,
    "status_pages.{}.branding.logo_url": _url,
    "status_pages.{}.sender": _address,
    "to": _address,
}
ITEMS: Mapping[str, Made] = {
    "admins": lambda number: {"email": f"p{number}@acme.example"},
    "auth.oauth2.scopes": str,
    "delivery_ids": str,
    "mailbox.purpose": lambda number: ("bounces", "inbound", "bounces")[number],
    "senders": lambda number: {"email": f"p{number}@acme.example"},
}


def _account(field: str) -> Json:
    """A mail account that has the field, and takes whatever may be in it."""
    if field == "auth.oauth2.client_certificate":
        return oauth2_account("client_credentials", client_secret=None)
    grant = {"auth.oauth2.refresh_token": "refresh_token"}.get(field, "authorization_code")
    oauth2 = {"grant": grant, "client_id": "app", "client_secret": "s3cret", "token_url": "https://a.example/t"}
    if grant == "authorization_code":
        oauth2["authorization_url"] = "https://a.example/a"
    auths: dict[bool, Json] = {
        True: {"type": "oauth2", "username": USER, "oauth2": oauth2},
        False: {"type": "password", "username": USER, "password": PASSWORD},
    }
    relay = {"host": "relay.example.org", "port": 587, "security": "starttls"}
    proxy = {"proxy": {"host": "proxy.example.org", "port": 8080, "username": "a", "password": "b"}}
    return password_account(
        auth=auths[field.startswith("auth.oauth2")],
        relay=relay | (proxy if field.startswith("relay.proxy") else {}),
        mailbox=MAILBOX,
    )


def _document(body: str, field: str) -> Json:
    documents: dict[str, Json] = {
        ACCOUNT: _account(field),
        PROJECT: {"name": "Acme", "admins": [{"email": "a@acme.example"}]},
        "AuthorizationRequest": {},
        "BulkDelete": {"ids": ["a"]},
        "CustomTemplateInput": {"subject": "a"},
        "MessageWanted": {"to": "ana@example.org"},
        "PreviewWanted": {},
        "RedriveRequest": {"states": ["parked"]},
        "SuppressionInput": {"address": "ana@example.org"},
    }
    if field.startswith("delivery_ids"):
        return {"states": ["parked"], "delivery_ids": ["a"]}
    return documents[body]


def _ask(desk: Desk, body: str, document: Json) -> Answer:
    """Send a document to the route of its body."""
    root = f"/projects/{desk.project}"
    match body:
        case "AuthorizationRequest":
            account = desk.create(**oauth2_account("authorization_code"))
            return desk.ask("POST", f"/{account['id']}/authorization", document)
        case "MessageWanted":
            with Relay(security="starttls", mechanisms=("PLAIN",), passwords={USER: PASSWORD}) as relay:
                names = ("host", "port", "security", "ca_certificate")
                account = desk.create(relay={name: getattr(relay, name) for name in names})
                return desk.ask("POST", f"/{account['id']}/test-message", document)
        case "ProjectInput":
            return desk.ask("PUT", root, document, headers={"if-match": "*"})
        case "CustomTemplateInput":
            return desk.ask("PUT", root + PATHS[body], document)
        case _:
            return desk.ask("POST", root + PATHS[body], document)


def _numbers(*, of_meaning: bool) -> list[Any]:
    """A case for each limit that is a number; `of_meaning`: also where the field's meaning allows less."""
    return [
        pytest.param(body, limit, id=f"{body}-{limit.field}-{limit.word}")
        for body, limits in LIMITS.items()
        for limit in limits
        if not limit.is_pattern and (of_meaning or (limit.field, limit.word) not in NARROWER)
    ]


def _texts(*, refused: bool) -> list[Any]:
    """A case for each text of each pattern."""
    return [
        pytest.param(body, limit, text, id=f"{body}-{limit.field}-{text[:12]}-{number}")
        for body, limits in LIMITS.items()
        for limit in limits
        if limit.is_pattern
        for number, text in enumerate(PATTERNS.get(limit.field, ((), ()))[refused])
    ]


def _refuses(answer: Answer, limit: Limit) -> bool:
    """Whether it is refused, and for this field."""
    fields = {error["field"] for error in answer.json["errors"]}
    return answer.status == 422 and any(field == limit.stem or field.startswith(f"{limit.stem}.") for field in fields)


def _of_size(desk: Desk, body: str, limit: Limit, number: int) -> Json:
    """A body with something of that size where the limit is; a project names mail accounts that there are."""
    texts, items = TEXTS, ITEMS
    if body == PROJECT and limit.field.startswith(("routes", "default_mail_account_id")):
        ids = [desk.create()["id"] for _ in range(number if limit.field == "routes.{}" else 1)]
        texts = dict.fromkeys(("routes.{}.[]", "default_mail_account_id"), lambda length: ids[0].ljust(length)[:length])
        items = {"routes.{}": lambda one: ids[one]}
    return written(_document(body, limit.field), limit, number, texts=texts, items=items)


def test_no_body_is_forgotten() -> None:
    assert bodies() == OPERATIONS


def test_no_pattern_is_forgotten() -> None:
    assert {limit.field for limits in LIMITS.values() for limit in limits if limit.is_pattern} == PATTERNS.keys()


@pytest.mark.parametrize(("body", "limit"), _numbers(of_meaning=False))
def test_a_field_is_taken_at_its_limit(desk: Desk, body: str, limit: Limit) -> None:
    answer = _ask(desk, body, _of_size(desk, body, limit, limit.at))

    assert answer.status < 300, answer.body


@pytest.mark.parametrize(("body", "limit"), _numbers(of_meaning=True))
def test_a_field_is_refused_one_beyond_its_limit(desk: Desk, body: str, limit: Limit) -> None:
    document = _of_size(desk, body, limit, limit.beyond)

    assert _refuses(_ask(desk, body, document), limit)
    if body == ACCOUNT:
        assert _refuses(desk.ask("POST", f"/projects/{desk.project}/verification", document), limit)


@pytest.mark.parametrize(("body", "limit", "text"), _texts(refused=False))
def test_a_text_is_taken_at_the_ends_of_its_pattern(desk: Desk, body: str, limit: Limit, text: str) -> None:
    answer = _ask(desk, body, with_text(_document(body, limit.field), limit, text))

    assert answer.status < 300, answer.body


@pytest.mark.parametrize(("body", "limit", "text"), _texts(refused=True))
def test_a_text_is_refused_beyond_its_pattern(desk: Desk, body: str, limit: Limit, text: str) -> None:
    assert _refuses(_ask(desk, body, with_text(_document(body, limit.field), limit, text)), limit)
