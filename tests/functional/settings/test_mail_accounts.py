"""Creating, reading and deleting mail accounts over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from functions.settings.app import lambda_handler
from tests.functional.deliver.stack import Acme
from tests.functional.http_api import call

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Stack
    from tests.functional.http_api import Answer

pytestmark = pytest.mark.usefixtures("whole_stack")

SECRETS = {"password": "pa55word-of-ops", "client_secret": "s3cret-of-app", "refresh_token": "r3fresh-of-ops"}


@pytest.fixture
def project() -> str:
    """A project without a mail account."""
    acme = Acme()
    acme._save_project()  # noqa: SLF001  (what `save` does beside its account)
    return acme.id


def _ask(method: str, path: str, *, permissions: str, **more: Any) -> Answer:  # noqa: ANN401  (as `call` takes it)
    claims = {"sub": "admin-1", "tocsin_projects": permissions} | more.pop("claims", {})
    return call(lambda_handler, method, path, claims=claims, **more)


def _create(project: str, document: dict[str, Any]) -> Answer:
    return _ask("POST", f"/projects/{project}/mail-accounts", permissions=f"{project}:admin", body=json.dumps(document))


def _password_account(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  (fields of any kind)
    return {
        "name": "Ops mailbox",
        "relay": {"host": "relay.example.org", "port": 587, "security": "starttls"},
        "auth": {"type": "password", "username": "ops@acme.example", "password": SECRETS["password"]},
        "senders": [{"name": "Acme Ops", "email": "ops@acme.example", "default": True}],
    } | changes


def _oauth2_account(grant: str, **oauth2: Any) -> dict[str, Any]:  # noqa: ANN401  (as above)
    return _password_account(
        provider="microsoft365",
        relay={"host": "smtp.office365.com", "port": 587, "security": "starttls"},
        auth={
            "type": "oauth2",
            "username": "ops@acme.example",
            "oauth2": {"grant": grant, "tenant_id": "acme.example", "client_id": "app", **oauth2},
        },
    )


def _item(project: str, account_id: str) -> dict[str, Any]:
    key = {"project_id": {"S": project}, "sk": {"S": f"mail-account#{account_id}"}}
    item: dict[str, Any] = boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=key).get("Item", {})
    return item


def _secret(project: str, account_id: str) -> dict[str, Any]:
    name = f"tocsin/test/{project}/{account_id}"
    text = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    secret: dict[str, Any] = json.loads(text)
    return secret


def test_a_new_account_is_shown_with_its_settings_and_none_of_its_secrets(project: str) -> None:
    answer = _create(project, _password_account())

    assert answer.status == 201
    assert answer.headers["etag"].startswith('"1-')
    assert answer.headers["location"] == f"/projects/{project}/mail-accounts/{answer.json['id']}"
    assert answer.json["status"] == "not_verified"
    assert answer.json["relay"]["host"] == "relay.example.org"
    assert answer.json["auth"]["password"]["set"] is True
    assert answer.json["auth"]["password"]["changed_at"].endswith("Z")
    assert SECRETS["password"] not in answer.body


def test_a_secret_is_in_secrets_manager_bound_to_its_relay_and_nowhere_else(project: str) -> None:
    account_id = _create(project, _password_account()).json["id"]

    item = _item(project, account_id)
    assert SECRETS["password"] not in json.dumps(item)
    secret = _secret(project, account_id)
    bound = ("host", "port", "security", "username")
    assert [secret["saved_for"][name] for name in bound] == ["relay.example.org", 587, "starttls", "ops@acme.example"]
    assert secret["password"] == SECRETS["password"]
    assert item["credential_version"]["S"]


def test_an_account_that_is_read_again_is_the_same_and_still_without_secrets(project: str) -> None:
    document = _oauth2_account("refresh_token", refresh_token=SECRETS["refresh_token"], client_secret="s3cret-of-app")
    created = _create(project, document)

    read = _ask(
        "GET", f"/projects/{project}/mail-accounts/{created.json['id']}", permissions=json.dumps([f"{project}:viewer"])
    )

    assert (read.status, read.headers["etag"]) == (200, created.headers["etag"])
    assert read.json == created.json
    assert read.json["auth"]["oauth2"]["refresh_token"]["set"] is True
    assert read.json["auth"]["oauth2"]["client_certificate"] is None
    assert not [secret for secret in SECRETS.values() if secret in read.body]


def test_all_of_the_design_s_fields_are_kept(project: str) -> None:
    document = _password_account(
        slug="ops-mailbox",
        description="For pages",
        use_for=["incident", "alert"],
        location="eu-west-1",
        limits={"connections": 2, "per_minute": 25, "per_day": 9000, "per_month": None},
        mailbox={"host": "imap.example.org", "port": 993, "security": "tls", "folder": "INBOX", "purpose": ["bounces"]},
    )
    answer = _create(project, document)

    kept = {name: answer.json[name] for name in ("slug", "description", "location", "limits", "mailbox")}
    assert kept == {name: document[name] for name in kept}
    assert answer.json["use_for"] == ["alert", "incident"]


@pytest.mark.parametrize(
    ("document", "is_due"),
    [
        (_password_account(), False),
        (_oauth2_account("authorization_code", client_secret="s3cret-of-app"), False),
        (_oauth2_account("refresh_token", refresh_token="r3fresh", client_secret="s3cret-of-app"), True),
        (_oauth2_account("client_credentials", client_secret="s3cret-of-app"), True),
    ],
    ids=["password", "authorization_code", "refresh_token", "client_credentials"],
)
def test_a_grant_that_needs_no_browser_is_due_at_once(project: str, document: dict[str, Any], is_due: bool) -> None:  # noqa: FBT001  (the expectation)
    answer = _create(project, document)

    assert answer.status == 201
    assert ("refresh_at" in _item(project, answer.json["id"])) is is_due


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (_password_account(name=""), "name"),
        (_password_account(nonsense=1), "nonsense"),
        (_password_account(relay={"host": "relay.example.org", "port": 0, "security": "starttls"}), "relay.port"),
        (_password_account(relay={"host": "relay.example.org", "port": 1, "security": "ssl"}), "relay.security"),
        (_password_account(senders=[]), "senders"),
        (_password_account(senders=[{"email": "nobody"}]), "senders.0.email"),
        (
            _password_account(senders=[{"email": "a@b.example"}, {"email": "a@b.example", "name": "A\r\nBcc: c"}]),
            "senders.1.name",
        ),
        (_password_account(auth={"type": "password", "username": "ops"}), "auth.password"),
        (_password_account(auth={"type": "oauth2", "username": 7}), "auth.username"),
        (_oauth2_account("client_credentials"), "auth.oauth2.client_secret"),
        (_oauth2_account("refresh_token", client_secret="s3cret"), "auth.oauth2.refresh_token"),
        (_oauth2_account("jwt_bearer"), "auth.oauth2.grant"),
        (
            _oauth2_account("client_credentials", client_certificate="s3cret-of-app"),
            "auth.oauth2.client_certificate",
        ),
        (
            _oauth2_account("authorization_code", client_secret="s3cret", token_url="https://evil.example/token"),
            "auth.oauth2.token_url",
        ),
        (
            _password_account(
                provider="google",
                relay={"host": "smtp.gmail.com", "port": 587, "security": "starttls"},
                auth={
                    "type": "oauth2",
                    "username": "ops@acme.example",
                    "oauth2": {"grant": "jwt_bearer", "service_account_key": {"type": "service_account"}},
                },
            ),
            "auth.oauth2.service_account_key",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_cannot_be_saved_is_answered_with_its_field_and_without_its_value(
    project: str, document: dict[str, Any], field: str
) -> None:
    answer = _create(project, document)

    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert field in {error["field"] for error in answer.json["errors"]}
    assert "s3cret" not in answer.body
    assert "pa55word" not in answer.body
    assert _ask("GET", f"/projects/{project}/mail-accounts", permissions="*:admin").json["items"] == []


@pytest.mark.parametrize(
    ("permissions", "method", "status"),
    [
        ("{project}:admin", "POST", 201),
        ("[other:viewer {project}:admin]", "POST", 201),
        ("other:viewer {project}:admin", "POST", 201),
        ('["{project}:admin"]', "POST", 201),
        ("*:admin", "POST", 201),
        ("{project}:viewer", "POST", 403),
        ("{project}:viewer", "GET", 200),
        ("other:admin", "POST", 404),
        ("other:admin", "GET", 404),
        ("*:viewer", "GET", 404),
        ("{project}", "GET", 404),
        ("", "GET", 404),
        ('{"{project}:admin": true}', "GET", 404),
        ("7", "GET", 404),
    ],
)
def test_the_claim_decides_what_an_admin_may_do(project: str, permissions: str, method: str, status: int) -> None:
    body = json.dumps(_password_account()) if method == "POST" else None

    answer = _ask(
        method,
        f"/projects/{project}/mail-accounts",
        permissions=permissions.replace("{project}", project),
        body=body,
    )

    assert answer.status == status


def test_an_id_token_of_cognito_is_no_access_token(project: str) -> None:
    path = f"/projects/{project}/mail-accounts"

    assert _ask("GET", path, permissions="*:admin", claims={"token_use": "id"}).status == 401
    assert _ask("GET", path, permissions="*:admin", claims={"token_use": "access"}).status == 200


def test_a_foreign_and_a_missing_project_are_answered_alike(project: str) -> None:
    foreign = _ask("GET", f"/projects/{project}/mail-accounts", permissions="other:admin")
    missing = _ask("GET", "/projects/nowhere/mail-accounts", permissions="nowhere:admin")
    nothing = _ask("GET", f"/projects/{project}/mail-accounts/01JD7Z0000000000000000NONE", permissions="*:admin")

    assert foreign == missing == nothing
    assert foreign.status == 404


def test_a_deleted_account_is_gone_with_its_secret(project: str, whole_stack: Stack) -> None:
    del whole_stack
    path = f"/projects/{project}/mail-accounts/{_create(project, _password_account()).json['id']}"

    assert _ask("DELETE", path, permissions=f"{project}:admin").status == 204
    assert _ask("DELETE", path, permissions=f"{project}:admin").status == 404
    assert _ask("GET", path, permissions=f"{project}:admin").status == 404
    described = boto3.client("secretsmanager").describe_secret(
        SecretId=f"tocsin/test/{project}/{path.rpartition('/')[2]}"
    )
    assert described["DeletedDate"]


@pytest.mark.parametrize(("if_match", "status"), [('"1"', 204), ("*", 204), ('"2"', 412), ('W/"1"', 412)])
def test_a_delete_of_another_version_is_refused(project: str, if_match: str, status: int) -> None:
    path = f"/projects/{project}/mail-accounts/{_create(project, _password_account()).json['id']}"

    answer = _ask("DELETE", path, permissions="*:admin", headers={"if-match": if_match})

    assert answer.status == status
    assert _ask("GET", path, permissions="*:admin").status == (404 if status == 204 else 200)


def test_a_viewer_deletes_nothing(project: str) -> None:
    path = f"/projects/{project}/mail-accounts/{_create(project, _password_account()).json['id']}"

    assert _ask("DELETE", path, permissions=f"{project}:viewer").status == 403
    assert _ask("GET", path, permissions=f"{project}:viewer").status == 200


def test_a_ticket_leads_to_our_own_address_and_is_not_kept_as_it_is(project: str) -> None:
    account_id = _create(project, _oauth2_account("authorization_code", client_secret="s3cret-of-app")).json["id"]

    answer = _ask(
        "POST",
        f"/projects/{project}/mail-accounts/{account_id}/authorization",
        permissions=f"{project}:admin",
        body='{"return_path": "/projects/acme"}',
    )

    base, _, ticket = answer.json["authorize_url"].rpartition("/")
    assert answer.status == 201
    assert base == "https://tocsin.example/authorize"
    assert len(ticket) >= 22  # 128 bits in base64
    kept = boto3.client("dynamodb").scan(TableName="EphemeralTable")["Items"]
    assert ticket not in json.dumps(kept)


@pytest.mark.parametrize(
    "return_path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "@evil.example",
        ".evil.example",
        "",
        "/a b",
        "/\n",
        7,
    ],
)
def test_a_return_path_is_a_path_and_never_a_url(project: str, return_path: object) -> None:
    account_id = _create(project, _oauth2_account("authorization_code", client_secret="s3cret-of-app")).json["id"]

    answer = _ask(
        "POST",
        f"/projects/{project}/mail-accounts/{account_id}/authorization",
        permissions=f"{project}:admin",
        body=json.dumps({"return_path": return_path}),
    )

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "return_path"


@pytest.mark.parametrize(
    "document",
    [_password_account(), _oauth2_account("client_credentials", client_secret="s3cret-of-app")],
    ids=["password", "client_credentials"],
)
def test_only_a_grant_that_a_person_gives_has_tickets(project: str, document: dict[str, Any]) -> None:
    path = f"/projects/{project}/mail-accounts/{_create(project, document).json['id']}/authorization"

    assert _ask("POST", path, permissions="*:admin").status == 409
    assert _ask("POST", path, permissions=f"{project}:viewer").status == 403


def test_secrets_are_in_no_log_line(project: str, caplog: pytest.LogCaptureFixture) -> None:
    _create(project, _password_account())
    _create(project, _password_account(auth={"type": "password", "password": SECRETS["password"]}))

    logged = str([vars(record) for record in caplog.records])
    assert "mail_account_created" in logged
    assert SECRETS["password"] not in logged
