"""Replacing and patching mail accounts: what is kept, what is dropped, and who wins."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin.model.grant import credential_version
from tocsin.wiring import now

from tests.functional.settings.conftest import MAILBOX, PASSWORD, oauth2_account, password_account

if TYPE_CHECKING:
    from tests.functional.settings.conftest import Desk, Json

GRANT = {
    "version": 3,
    "identity": "ops@acme.example",
    "consented_at": "2026-11-20T09:00:00Z",
    "renewed_at": "2026-11-21T09:00:00Z",
    "access_token_expires_at": "2126-11-21T09:00:00Z",
    "warned_days": 7,
    "warned_end": "2026-11-28",
}
VERIFIED = {"status": "verified", "verified_at": "2026-11-21T09:30:00Z"}
PROXY = {"host": "proxy.example.org", "port": 3128, "username": "ops", "password": "pr0xy-of-ops"}
BY_PROXY = {"host": "relay.example.org", "port": 587, "security": "starttls", "proxy": PROXY}
NO_PROOF = "not_verified"


def _verified(desk: Desk, **changes: Any) -> str:  # noqa: ANN401  (fields of any kind)
    account_id: str = desk.create(**changes)["id"]
    desk.found_out(account_id, **VERIFIED)
    return account_id


def _consented(desk: Desk, grant: str = "authorization_code", *, transport: str = "smtp", **oauth2: object) -> str:
    """An account with tokens, as a redirect leaves it."""
    account_id: str = desk.create(**oauth2_account(grant, **oauth2) | {"transport": transport})["id"]
    desk.found_out(account_id, **VERIFIED, grant=GRANT)
    secret = desk.secret(account_id) | {
        **({"refresh_token": "r3fresh-of-ops"} if grant != "client_credentials" else {}),
        "access_token": "acc3ss-of-ops",
        "access_token_expires_at": GRANT["access_token_expires_at"],
        "grant_version": 3,
        "account_version": 1,
    }
    stored = boto3.client("secretsmanager").put_secret_value(
        SecretId=f"tocsin/test/{desk.project}/{account_id}", SecretString=json.dumps(secret)
    )
    boto3.client("dynamodb").update_item(
        TableName="SettingsTable",
        Key={"project_id": {"S": desk.project}, "sk": {"S": f"mail-account#{account_id}"}},
        UpdateExpression="SET credential_version = :version",
        ExpressionAttributeValues={":version": {"S": stored["VersionId"]}},
    )
    return account_id


@pytest.mark.parametrize(
    "patch",
    [
        {"name": "Night shift"},
        {"description": "For pages"},
        {"senders": [{"email": "noc@acme.example", "name": "NOC"}]},
        {"limits": {"per_minute": 5}},
        {"use_for": ["incident"]},
        {"relay": {"timeout_seconds": 10, "min_tls_version": "1.3"}},
        {"relay": {"host": "RELAY.example.org"}},
        {"paused": True},
    ],
    ids=["name", "description", "senders", "limits", "use_for", "relay", "case", "paused"],
)
def test_what_does_not_touch_the_login_keeps_secret_and_proof(desk: Desk, patch: Json) -> None:
    account_id = _verified(desk)
    version = desk.item(account_id)["credential_version"]

    answer = desk.patch(account_id, patch)

    assert (answer.status, answer.json["status"], answer.json["version"]) == (200, "verified", 2)
    assert answer.json["auth"]["password"]["set"] is True
    assert desk.item(account_id)["credential_version"] == version


@pytest.mark.parametrize(
    "patch",
    [
        {"relay": {"host": "evil.example.org"}},
        {"relay": {"port": 465, "security": "tls"}},
        {"relay": {"security": "none"}},
        {"relay": {"proxy": PROXY}},
        {"auth": {"username": "other@acme.example"}},
        {"mailbox": MAILBOX},
    ],
    ids=["host", "port", "tls", "proxy", "username", "mailbox"],
)
def test_a_stored_password_goes_nowhere_else_and_must_be_given_anew(desk: Desk, patch: Json) -> None:
    account_id = _verified(desk)
    before = desk.item(account_id)

    refused = desk.patch(account_id, patch)

    assert (refused.status, [error["field"] for error in refused.json["errors"]]) == (422, ["auth.password"])
    assert desk.item(account_id) == before
    assert desk.secret(account_id)["password"] == PASSWORD
    given = desk.patch(account_id, patch | {"auth": patch.get("auth", {}) | {"password": "n3w-of-ops"}})
    assert (given.status, given.json["status"], given.json["verified_at"]) == (200, NO_PROOF, None)
    assert desk.secret(account_id)["password"] == "n3w-of-ops"
    assert desk.item(account_id)["credential_version"] != before["credential_version"]


@pytest.mark.parametrize(
    "change", [{"username": "other"}, {"username": None}, {"host": "evil.example.org"}, {"port": 3129}], ids=str
)
def test_a_stored_proxy_password_is_given_to_no_other_proxy_and_for_no_other_user(desk: Desk, change: Json) -> None:
    account_id = _verified(desk, relay=BY_PROXY)
    patch = {"relay": {"proxy": change}}

    refused = desk.patch(account_id, patch)
    given = desk.patch(account_id, patch | {"auth": {"password": "n3w-of-ops"}})

    assert (refused.status, [error["field"] for error in refused.json["errors"]]) == (422, ["auth.password"])
    assert (given.status, given.json["relay"]["proxy"]["password"]) == (200, None)
    assert "proxy_password" not in desk.secret(account_id)


def test_a_new_password_is_bound_stored_once_and_marks_the_redrive(desk: Desk) -> None:
    account_id = _verified(desk)

    answer = desk.patch(account_id, {"auth": {"password": "n3w-of-ops"}})

    secret = desk.secret(account_id)
    versions = boto3.client("secretsmanager").list_secret_version_ids(
        SecretId=f"tocsin/test/{desk.project}/{account_id}"
    )["Versions"]
    assert (answer.status, answer.json["status"]) == (200, NO_PROOF)
    assert "n3w-of-ops" not in answer.body
    assert (secret["password"], secret["saved_for"]["host"]) == ("n3w-of-ops", "relay.example.org")
    assert len(versions) == 2
    assert f"redrive#{account_id}" in {item["sk"]["S"] for item in desk.items("redrive#")}


@pytest.mark.parametrize("before", [{"enabled": False}, {"paused": True}], ids=["disabled", "paused"])
def test_who_lets_an_account_send_again_lets_go_what_is_parked(desk: Desk, before: Json) -> None:
    account_id = desk.create(**before)["id"]
    assert desk.items("redrive#") == []

    answer = desk.patch(account_id, {name: not value for name, value in before.items()})

    assert answer.json["status"] == NO_PROOF
    assert [item["sk"]["S"] for item in desk.items("redrive#")] == [f"redrive#{account_id}"]


def test_a_secret_that_is_null_is_taken_away_and_one_that_is_left_out_stays(desk: Desk) -> None:
    account_id = desk.create(relay=BY_PROXY)["id"]

    kept = desk.patch(account_id, {"auth": {"password": "n3w-of-ops"}})
    assert desk.secret(account_id)["proxy_password"] == PROXY["password"]
    assert kept.json["relay"]["proxy"]["password"]["set"] is True
    cleared = desk.patch(account_id, {"relay": {"proxy": {"password": None}}})

    assert cleared.json["relay"]["proxy"]["password"] is None
    assert "proxy_password" not in desk.secret(account_id)
    assert desk.secret(account_id)["password"] == "n3w-of-ops"
    refused = desk.patch(account_id, {"auth": {"password": None}})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "auth.password")


@pytest.mark.parametrize("name", ["password", "prompt"])
def test_null_takes_a_free_parameter_away_whatever_its_name(desk: Desk, name: str) -> None:
    account_id = desk.create(**oauth2_account("authorization_code", extra_parameters={name: "x", "hd": "acme"}))["id"]

    answer = desk.patch(account_id, {"auth": {"oauth2": {"extra_parameters": {name: None}}}})

    assert (answer.status, answer.json["auth"]["oauth2"]["extra_parameters"]) == (200, {"hd": "acme"})


def test_null_gives_a_field_its_default(desk: Desk) -> None:
    account_id = desk.create(description="For pages", mailbox=MAILBOX, limits={"connections": 5})["id"]

    answer = desk.patch(
        account_id, {"description": None, "mailbox": None, "limits": None, "auth": {"password": PASSWORD}}
    )

    assert (answer.json["description"], answer.json["mailbox"]) == (None, None)
    assert answer.json["limits"]["connections"] == 2


def test_what_is_replaced_is_replaced_whole_and_keeps_its_password(desk: Desk) -> None:
    account_id = _verified(desk, description="For pages", slug="ops")
    document = password_account(name="New")
    del document["auth"]["password"]

    answer = desk.ask("PUT", f"/{account_id}", document, headers={"if-match": "*"})

    assert (answer.status, answer.json["name"]) == (200, "New")
    assert (answer.json["description"], answer.json["slug"]) == (None, None)
    assert answer.json["status"] == "verified"
    assert desk.secret(account_id)["password"] == PASSWORD


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ("*", 200), ('"1"', 200), ('"2"', 412), ("x", 412)])
def test_an_account_is_replaced_only_by_who_names_its_version(desk: Desk, if_match: str | None, status: int) -> None:
    account_id = desk.create()["id"]
    headers = {"if-match": if_match} if if_match else {}

    assert desk.ask("PUT", f"/{account_id}", password_account(name="New"), headers=headers).status == status


def test_of_two_admins_who_save_at_once_one_wins(desk: Desk) -> None:
    account_id = desk.create()["id"]
    tag = desk.ask("GET", f"/{account_id}").headers["etag"]

    first = desk.patch(account_id, {"auth": {"password": "f1rst"}}, if_match=tag)
    second = desk.patch(account_id, {"auth": {"password": "s3cond"}}, if_match=tag)

    assert (first.status, second.status) == (200, 412)
    assert desk.secret(account_id)["password"] == "f1rst"
    assert desk.ask("GET", f"/{account_id}").headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("patch", "kept"),
    [
        ({"name": "New"}, True),
        ({"auth": {"oauth2": {"client_secret": "n3w-secret"}}}, True),
        ({"auth": {"oauth2": {"scopes": ["https://outlook.office365.com/SMTP.Send", "offline_access"]}}}, False),
        ({"auth": {"oauth2": {"tenant_id": "other.example", "client_secret": "n3w-secret"}}}, False),
        ({"auth": {"oauth2": {"client_id": "other", "client_secret": "n3w-secret"}}}, False),
        ({"auth": {"username": "other@acme.example", "oauth2": {"client_secret": "n3w-secret"}}}, False),
        ({"auth": {"oauth2": {"grant": "client_credentials"}}}, False),
    ],
    ids=["name", "client_secret", "scopes", "tenant", "client", "username", "grant"],
)
def test_a_grant_is_kept_only_for_what_was_consented_to(desk: Desk, patch: Json, kept: bool) -> None:  # noqa: FBT001  (the expectation)
    account_id = _consented(desk)

    answer = desk.patch(account_id, patch)

    secret, state = desk.secret(account_id), json.loads(desk.item(account_id)["state"]["S"])
    assert answer.status == 200, answer.body
    assert ("refresh_token" in secret, "access_token" in secret) == (kept, kept)
    assert secret["grant_version"] == 3  # so that a later renewal does not meet the version of an earlier one
    assert (answer.json["grant"] is not None) is kept
    assert state["grant"]["warned_days"] == 7
    assert answer.json["status"] == ("verified" if patch == {"name": "New"} else NO_PROOF)


@pytest.mark.parametrize(("before", "after"), [("smtp", "graph"), ("graph", "smtp")])
@pytest.mark.parametrize(
    ("grant", "kept"),
    [
        ("authorization_code", {"client_secret"}),
        ("refresh_token", {"client_secret", "refresh_token"}),  # an admin wrote it, and it may be good for both
        ("client_credentials", {"client_secret"}),
    ],
)
def test_tokens_of_one_transport_never_serve_another(
    desk: Desk, before: str, after: str, grant: str, kept: set[str]
) -> None:
    account_id = _consented(
        desk, grant, transport=before, **({"refresh_token": "r3fresh"} if grant == "refresh_token" else {})
    )
    version = desk.item(account_id)["credential_version"]

    answer = desk.patch(account_id, {"transport": after})

    item, secret = desk.item(account_id), desk.secret(account_id)
    assert answer.status == 200, answer.body
    assert {"client_secret", "refresh_token", "access_token"} & secret.keys() == kept
    assert answer.json["grant"] is None
    assert item["credential_version"] != version
    assert json.loads(item["state"]["S"])["status"] == NO_PROOF


def test_tokens_that_nobody_could_name_yet_stay_and_do_not_bring_the_old_secret_back(desk: Desk) -> None:
    account_id = _consented(desk)
    renewed = desk.secret(account_id) | {"refresh_token": "r3newed-of-ops", "grant_version": 4}
    boto3.client("secretsmanager").put_secret_value(
        SecretId=f"tocsin/test/{desk.project}/{account_id}",
        SecretString=json.dumps(renewed),
        ClientRequestToken=credential_version(desk.project, account_id, 4),
    )

    desk.patch(account_id, {"auth": {"oauth2": {"client_secret": "n3w-secret"}}})

    secret = desk.secret(account_id)
    assert (secret["client_secret"], secret["refresh_token"]) == ("n3w-secret", "r3newed-of-ops")
    assert secret["grant_version"] == 4
    assert "account_version" not in secret  # so that a renewal finds nothing to adopt: it would take the version before


@pytest.mark.parametrize(
    ("grant", "patch"),
    [
        ("refresh_token", {"refresh_token": "n3w-refresh"}),
        ("client_credentials", {"client_secret": "n3w-secret"}),
        ("client_credentials", {"scopes": ["https://outlook.office365.com/.default"]}),
    ],
)
def test_a_grant_that_needs_no_browser_is_due_again_with_what_is_new(desk: Desk, grant: str, patch: Json) -> None:
    account_id = _consented(desk, grant, **({"refresh_token": "r3fresh"} if grant == "refresh_token" else {}))

    answer = desk.patch(account_id, {"auth": {"oauth2": patch}})

    assert answer.status == 200, answer.body
    assert "access_token" not in desk.secret(account_id)
    assert datetime.fromisoformat(desk.item(account_id)["refresh_at"]["S"]) < now() + timedelta(seconds=2)


def test_an_account_that_logs_in_otherwise_forgets_its_old_secrets(desk: Desk) -> None:
    account_id = _consented(desk)

    answer = desk.patch(account_id, {"auth": {"type": "password", "oauth2": None, "password": "n3w-of-ops"}})

    secret = desk.secret(account_id)
    assert answer.status == 200, answer.body
    assert secret["password"] == "n3w-of-ops"
    assert not {"client_secret", "refresh_token", "access_token"} & secret.keys()
    assert "refresh_at" not in desk.item(account_id)


@pytest.mark.parametrize(
    ("permissions", "status"),
    [("{id}:admin", 200), ("*:admin", 200), ("{id}:viewer", 403), ("other:admin", 404), ("*:viewer", 404), ("", 404)],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_claim_decides_who_changes_accounts(desk: Desk, method: str, permissions: str, status: int) -> None:
    account_id = desk.create()["id"]
    permissions = permissions.replace("{id}", desk.project)
    path, headers = f"/{account_id}", {"if-match": "*"}

    answer = desk.ask(method, path, password_account(name="New"), permissions=permissions, headers=headers)

    assert answer.status == status
    of_id_token = desk.ask(method, path, password_account(), headers=headers, claims={"token_use": "id"})
    assert of_id_token.status == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_foreign_and_missing_accounts_are_answered_alike(desk: Desk, method: str) -> None:
    account_id, body = desk.create()["id"], password_account() if method in {"PUT", "PATCH"} else None
    missing = ("01JD7Z0000000000000000N0NE", "mail", "a" * 2000)

    foreign = desk.ask(method, f"/{account_id}", body, permissions="other:admin", headers={"if-match": "*"})
    others = [desk.ask(method, f"/{one}", body, headers={"if-match": "*"}) for one in missing]

    assert foreign.status == 404
    assert all(other == foreign for other in others)


def test_several_accounts_are_deleted_at_once(desk: Desk) -> None:
    first, second, third = (desk.create()["id"] for _ in range(3))

    answer = desk.ask("POST", "/bulk-delete", {"ids": [first, "01JD7Z0000000000000000N0NE", third, first]})

    assert answer.json == {"deleted": [first, third], "not_there": ["01JD7Z0000000000000000N0NE"], "left": []}
    assert [account["id"] for account in desk.ask("GET", "").json["items"]] == [second]
    assert desk.ask("POST", "/bulk-delete", {"ids": [second]}, permissions=f"{desk.project}:viewer").status == 403
    assert desk.ask("POST", "/bulk-delete", {"ids": []}).status == 422


def test_the_audit_names_the_fields_and_no_values(desk: Desk) -> None:
    account_id = desk.create()["id"]
    desk.patch(account_id, {"name": "New", "auth": {"password": "n3w-of-ops"}, "relay": {"timeout_seconds": 5}})
    desk.patch(account_id, {"name": "New"})
    desk.ask("DELETE", f"/{account_id}")

    audit = [(entry["admin"], entry["action"], entry["subject"], entry["fields"]) for entry in desk.audit()]
    assert audit == [
        ("admin-1", "mail_account.created", account_id, []),
        ("admin-1", "mail_account.changed", account_id, ["auth.password", "name", "relay.timeout_seconds"]),
        ("admin-1", "mail_account.deleted", account_id, []),
    ]
    kept = json.dumps(desk.items("audit#"))
    assert "n3w-of-ops" not in kept
    assert all(int(item["ttl"]["N"]) > now().timestamp() + 399 * 86_400 for item in desk.items("audit#"))
