"""One mail account on its way through the redirect, with a browser of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3

from functions.authorize.app import lambda_handler as authorize
from functions.settings.app import lambda_handler as settings
from tests.functional.deliver.stack import Acme
from tests.functional.http_api import call
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, USER
from tests.relay import authority

if TYPE_CHECKING:
    from tests.functional.http_api import Answer
    from tests.identity_provider import IdentityProvider
    from tests.relay import Relay

TOKEN = "granted-token"
SCOPE = "mail.send"


@dataclass(slots=True)
class Browser:
    """Cookies, and where it was sent last."""

    cookies: dict[str, str] = field(default_factory=dict)
    location: str = ""
    set_cookie: str = ""

    def open(self, url: str, *, method: str = "GET", cookies_in: str = "array") -> Answer:
        """Open one of our own addresses, as API Gateway (`array`) or another caller (`header`) hands over cookies."""
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        pairs = [f"{name}={value}" for name, value in self.cookies.items()]
        header = {"Cookie": "; ".join(pairs)} if cookies_in == "header" and pairs else {}
        answer = call(authorize, method, target, headers=header, cookies=pairs if cookies_in == "array" else ())
        self.location = answer.headers.get("location", "")
        for cookie in answer.cookies:
            self.set_cookie = cookie
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer


@dataclass(slots=True)
class Redirect:
    """A mail account that waits for its authorization, and what it came to.

    `names_users` tells whether its settings let the provider say who signed in: by userinfo, or by an id_token.
    `tickets` are the addresses of its tickets so far.
    """

    provider: IdentityProvider
    relay: Relay
    username: str = USER
    names_users: bool = True
    project_id: str = field(default_factory=lambda: Acme().id)
    account_id: str = ""
    browser: Browser = field(default_factory=Browser)
    tickets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make project and account."""
        Acme(id=self.project_id)._save_project()  # noqa: SLF001  (what `save` does beside its account)
        answer = self._ask("POST", "", self._document())
        assert answer.status == 201, answer.body
        self.account_id = answer.json["id"]

    def ticket(self, return_path: str | None = "/projects/acme") -> str:
        """The address of a new ticket."""
        answer = self._ask("POST", f"/{self.account_id}/authorization", {"return_path": return_path})
        assert answer.status == 201, answer.body
        url: str = answer.json["authorize_url"]
        self.tickets.append(url)
        return url

    def consented(self, url: str | None = None) -> str:
        """Open a ticket, sign in and consent: the address that the provider sends the browser back to."""
        self.browser.open(url or self.ticket())
        fields = self.provider.consent(self.browser.location)
        return f"https://tocsin.example/oauth/callback?{urlencode(fields)}"

    def failed(self, error: str, description: str = "", *, ticket: str | None = None) -> str:
        """Open a ticket and get an error at the provider: the address that it sends the browser back to."""
        self.browser.open(ticket or self.ticket())
        fields = {"error": error, "error_description": description, "state": self.state}
        return f"https://tocsin.example/oauth/callback?{urlencode(fields)}"

    def complete(self) -> Answer:
        """The whole way; the last page."""
        return self.browser.open(self.consented())

    def account(self) -> dict[str, Any]:
        """The account as an admin reads it."""
        return self._ask("GET", f"/{self.account_id}").json

    def delete(self) -> None:
        """Delete the account."""
        assert self._ask("DELETE", f"/{self.account_id}").status == 204

    def edit(self, **changes: Any) -> None:  # noqa: ANN401  (fields of any kind)
        """Change the account, as an admin would meanwhile; `changes` are laid over what the admin wrote."""
        document = json.loads(self.item()["document"]["S"]) | changes
        boto3.client("dynamodb").update_item(
            TableName="SettingsTable",
            Key=self._key,
            UpdateExpression="SET version = :two, document = :document",
            ExpressionAttributeValues={":two": {"N": "2"}, ":document": {"S": json.dumps(document)}},
        )

    def item(self) -> dict[str, Any]:
        """The account's item."""
        item: dict[str, Any] = boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=self._key)["Item"]
        return item

    def secret(self) -> dict[str, Any]:
        """The account's secret as it stands."""
        name = f"tocsin/test/{self.project_id}/{self.account_id}"
        text = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        secret: dict[str, Any] = json.loads(text)
        return secret

    @property
    def state(self) -> str:
        """The state that the browser was sent out with last."""
        return dict(parse_qsl(urlsplit(self.browser.location).query))["state"]

    @property
    def has_grant(self) -> bool:
        """Whether anything of a grant is stored."""
        return "access_token" in self.secret() or "refresh_at" in self.item() or self.account()["grant"] is not None

    @property
    def _key(self) -> dict[str, Any]:
        return {"project_id": {"S": self.project_id}, "sk": {"S": f"mail-account#{self.account_id}"}}

    def _ask(self, method: str, path: str, document: dict[str, Any] | None = None) -> Answer:
        return call(
            settings,
            method,
            f"/projects/{self.project_id}/mail-accounts{path}",
            body=json.dumps(document) if document is not None else None,
            claims={"sub": "admin-1", "tocsin_projects": "*:admin"},
        )

    def _document(self) -> dict[str, Any]:
        return {
            "name": "Ops <mailbox>",
            "relay": {
                "host": "127.0.0.1",
                "port": self.relay.port,
                "security": "starttls",
                "timeout_seconds": 2,
                "ca_certificate": authority().pem,
            },
            "auth": {
                "type": "oauth2",
                "username": self.username,
                "oauth2": {
                    "grant": "authorization_code",
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "authorization_url": self.provider.authorization_url,
                    "token_url": self.provider.token_url,
                    "userinfo_url": self.provider.userinfo_url if self.names_users else None,
                    "scopes": ["openid", SCOPE] if self.names_users else [SCOPE],
                },
            },
            "senders": [{"email": "ops@acme.example"}],
        }
