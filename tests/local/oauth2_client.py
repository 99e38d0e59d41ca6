"""A client of the demo identity provider, and a person who decides without looking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import requests

from local.identity_provider.grants import s256
from local.identity_provider.running import CLIENT_ID, CLIENT_SECRET, USERS, IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Mapping

REDIRECT_URI = "http://localhost:8080/oauth/callback"
CODE_VERIFIER = "v" * 43
CONSENT = re.compile(r'name="consent" value="([^"]+)"')
SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Client:
    """Asks as our functions do."""

    provider: IdentityProvider

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a good authorization request, changed; None leaves one out."""
        parameters = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": " ".join(self.provider.scopes),
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": s256(CODE_VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (parameters | changes).items() if value is not None}

    def open(self, **changes: str | None) -> requests.Response:
        """The answer to an authorization request."""
        url = self.provider.provider.authorization_url
        return requests.get(url, params=self.request(**changes), allow_redirects=False, timeout=SECONDS)

    def decide(self, page: requests.Response, **changes: str | None) -> requests.Response:
        """Send the consent page's form, everything ticked, as the first user."""
        (consent,) = CONSENT.findall(page.text)
        form = {"consent": consent, "username": USERS[0].username, "scope": self.provider.scopes[-1]}
        form |= {"decision": "allow"} | changes
        data = {name: value for name, value in form.items() if value is not None}
        url = self.provider.provider.authorization_url
        return requests.post(url, data=data, allow_redirects=False, timeout=SECONDS)

    def code(self, **changes: str | None) -> str:
        """A code that the person gave us."""
        return answer_of(self.decide(self.open(**changes)))["code"]

    def redeem(self, code: str, /, **changes: str | None) -> requests.Response:
        """The token endpoint's answer to a code."""
        form = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": CODE_VERIFIER} | changes
        return self.token("authorization_code", **form)

    def refresh(self, refresh_token: str) -> requests.Response:
        """The token endpoint's answer to a refresh token."""
        return self.token("refresh_token", refresh_token=refresh_token)

    def token(self, grant_type: str, **form: str | None) -> requests.Response:
        """The token endpoint's answer."""
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        data = {"grant_type": grant_type, **client, **form}
        return requests.post(self.provider.provider.token_url, data=data, timeout=SECONDS)

    def consented(self) -> dict[str, Any]:
        """The tokens of a whole walk."""
        tokens: dict[str, Any] = self.redeem(self.code()).json()
        return tokens


def answer_of(response: requests.Response) -> Mapping[str, str]:
    """What a redirect to the client says."""
    location = urlsplit(response.headers["Location"])
    assert location._replace(query="").geturl() == REDIRECT_URI
    return dict(parse_qsl(location.query))
