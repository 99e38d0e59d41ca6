"""A project of each test's own, and an admin who asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from functions.settings.app import lambda_handler
from tests.functional.deliver.stack import Acme
from tests.functional.http_api import call

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Stack
    from tests.functional.http_api import Answer

type Json = dict[str, Any]

PASSWORD = "pa55word-of-ops"
MAILBOX = {"host": "imap.example.org", "port": 993, "security": "tls"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A project, and somebody who may change it."""

    project: str

    @property
    def path(self) -> str:
        """Where the project's mail accounts are."""
        return f"/projects/{self.project}/mail-accounts"

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Answer:  # noqa: ANN401  (as `call` takes it)
        """Ask as an admin of the project, or as `permissions` and `claims` say; `path` is below the mail accounts'."""
        permissions = more.pop("permissions", f"{self.project}:admin")
        claims = {"sub": "admin-1", "tocsin_projects": permissions} | more.pop("claims", {})
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        target = path if path.startswith(("/projects", "/openapi", "/providers")) else f"{self.path}{path}"
        return call(lambda_handler, method, target, claims=claims, body=text, **more)

    def create(self, **changes: Any) -> Json:  # noqa: ANN401  (fields of any kind)
        """Make a mail account, of a password unless `changes` say otherwise."""
        answer = self.ask("POST", "", password_account(**changes))
        assert answer.status == 201, answer.body
        return answer.json

    def patch(self, account_id: str, patch: object, **headers: str) -> Answer:
        """Change a mail account; a header's name is written with underscores."""
        kind = {"content-type": "application/merge-patch+json"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("PATCH", f"/{account_id}", patch, headers=kind | more)

    def item(self, account_id: str) -> Json:
        """The account's item in the table; empty where there is none."""
        key = {"project_id": {"S": self.project}, "sk": {"S": f"mail-account#{account_id}"}}
        item: Json = boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=key).get("Item", {})
        return item

    def secret(self, account_id: str) -> Json:
        """The newest version of the account's secret."""
        name = f"tocsin/test/{self.project}/{account_id}"
        secret: Json = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        return secret

    def found_out(self, account_id: str, **state: object) -> None:
        """Write what a login or a renewal would have found out."""
        key = {"project_id": {"S": self.project}, "sk": {"S": f"mail-account#{account_id}"}}
        boto3.client("dynamodb").update_item(
            TableName="SettingsTable",
            Key=key,
            UpdateExpression="SET #state = :state",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": {"S": json.dumps(state)}},
        )

    def items(self, prefix: str) -> list[Json]:
        """The project's items whose sort keys begin so."""
        answer = boto3.client("dynamodb").query(
            TableName="SettingsTable",
            KeyConditionExpression="project_id = :project AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":project": {"S": self.project}, ":prefix": {"S": prefix}},
        )
        return list(answer["Items"])

    def audit(self) -> list[Json]:
        """The project's audit, the oldest first."""
        return [json.loads(item["document"]["S"]) for item in self.items("audit#")]


@pytest.fixture
def desk(whole_stack: Stack) -> Desk:
    """A project without a mail account."""
    del whole_stack
    acme = Acme()
    acme._save_project()  # noqa: SLF001  (what `save` does beside its account)
    return Desk(acme.id)


def password_account(**changes: Any) -> Json:  # noqa: ANN401  (fields of any kind)
    """A mail account that logs in by password."""
    return {
        "name": "Ops mailbox",
        "relay": {"host": "relay.example.org", "port": 587, "security": "starttls"},
        "auth": {"type": "password", "username": "ops@acme.example", "password": PASSWORD},
        "senders": [{"name": "Acme Ops", "email": "ops@acme.example", "default": True}],
    } | changes


def oauth2_account(grant: str, **oauth2: object) -> Json:
    """A mail account that logs in by a grant."""
    return password_account(
        provider="microsoft365",
        relay={"host": "smtp.office365.com", "port": 587, "security": "starttls"},
        auth={
            "type": "oauth2",
            "username": "ops@acme.example",
            "oauth2": {
                "grant": grant,
                "tenant_id": "acme.example",
                "client_id": "app",
                "client_secret": "s3cret-of-app",
                **oauth2,
            },
        },
    )
