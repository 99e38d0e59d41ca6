"""The stack's HTTP API as an admin uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from local.demo import PROJECT_ID

SECONDS = 30  # as API Gateway's


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The routes of mail accounts."""

    url: str
    token: str = field(repr=False)

    def create(self, account: dict[str, Any]) -> str:
        """Create a mail account; its id."""
        answer = self._ask("POST", "", account)
        assert answer.status_code == 201, answer.text
        account_id: str = answer.json()["id"]
        return account_id

    def read(self, account_id: str) -> dict[str, Any]:
        """The account as it stands."""
        account: dict[str, Any] = self._ask("GET", f"/{account_id}").json()
        return account

    def delete(self, account_id: str) -> None:
        """Delete the account."""
        assert self._ask("DELETE", f"/{account_id}").ok

    def authorize_url(self, account_id: str) -> str:
        """A link that leads an admin to the identity provider."""
        answer = self._ask("POST", f"/{account_id}/authorization", {})
        assert answer.ok, answer.text
        url: str = answer.json()["authorize_url"]
        return url

    def _ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.url}/projects/{PROJECT_ID}/mail-accounts{path}",
            json=content,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=SECONDS,
        )
