"""The identity provider itself: authorization, token and userinfo endpoints on one port."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass
from functools import cache
from http.server import ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.identity_provider.clients import check_assertion, check_secret, proof, service_account_claims
from tests.identity_provider.grants import Family, Grants
from tests.identity_provider.refusal import Refused
from tests.identity_provider.web import Handler
from tests.relay.authority import authority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.identity_provider.actions import Action, Script
    from tests.relay.authority import Certificate

CLIENT_ID = "client-1"
CLIENT_SECRET = "s3cret:%/+ with a space"
USER = "ops@acme.example"
_ENDPOINTS = {
    "authorize": "authorize",
    "auth": "authorize",
    "token": "token",
    "refresh": "token",
    "userinfo": "userinfo",
    "info": "userinfo",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came. `host` is what its Host header says, `fields` its form or query."""

    endpoint: str
    path: str
    host: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def proof(self) -> str:
        """How the client proved itself."""
        return proof(self.fields, self.headers.get("authorization"))[0]


class IdentityProvider:
    """A context manager that listens on 127.0.0.1 at a free port.

    It finds the endpoint by the last part of the path, so that it can stand for any provider. With `hosts` it speaks
    TLS and shows a certificate for them by the tests' authority. `script` tells what to do at an endpoint (`authorize`,
    `token`, `userinfo`), each time or, as a sequence, the first times. `scope` is what a person grants; None: all that
    is asked. The person is `user`, and consents at once.
    """

    def __init__(
        self,
        *,
        script: Script | None = None,
        hosts: Sequence[str] = (),
        user: str = USER,
        scope: str | None = None,
        rotates: bool = True,
        client_secret: str | None = CLIENT_SECRET,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.grants = Grants()
        self.user = user
        self.stopped = Event()
        self._script = script or {}
        self._hosts = tuple(hosts)
        self._scope = scope
        self._rotates = rotates
        self._client_secret = client_secret
        self._extra = dict(extra or {})
        self._requests: list[Received] = []
        self._times: Counter[str] = Counter()
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.provider = self
        if hosts:
            context = _certificate(self._hosts).server_context()
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._serving = Thread(target=self._server.serve_forever, args=(0.01,), name="identity-provider")

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_address[1]
        return port

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"{'https' if self._hosts else 'http'}://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.url}/token"

    @property
    def authorization_url(self) -> str:
        """The authorization endpoint."""
        return f"{self.url}/authorize"

    @property
    def userinfo_url(self) -> str:
        """The userinfo endpoint."""
        return f"{self.url}/userinfo"

    @property
    def ca_certificate(self) -> str | None:
        """What a client must trust, in PEM; None without TLS."""
        return authority().pem if self._hosts else None

    def requests(self, endpoint: str = "token") -> list[Received]:
        """What was asked, in order."""
        with self._lock:
            return [request for request in self._requests if request.endpoint == endpoint]

    def consent(self, authorization_url: str) -> dict[str, str]:
        """What a browser that follows `authorization_url` brings back to the redirect URI."""
        fields = dict(parse_qsl(urlsplit(authorization_url).query))
        return dict(parse_qsl(urlsplit(self.redirect(fields)).query))

    def refresh_token(self, scope: str = "") -> str:
        """The refresh token of a new consent."""
        token = self.grants.new_family(self.user, scope).refresh_token
        assert token is not None
        return token

    def __enter__(self) -> Self:
        """Listen."""
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, end what hangs, join every thread."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def received(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Received:
        """Note a request."""
        endpoint = _ENDPOINTS.get(urlsplit(path).path.rpartition("/")[2], "unknown")
        request = Received(endpoint=endpoint, path=path, host=headers.get("host", ""), fields=fields, headers=headers)
        with self._lock:
            self._requests.append(request)
        return request

    def told(self, request: Received) -> Action | None:
        """What the script says about this request, this time."""
        actions = self._script.get(request.endpoint)
        with self._lock:
            time = self._times[request.endpoint]
            self._times[request.endpoint] += 1
        if isinstance(actions, (list, tuple)):
            return actions[time] if time < len(actions) else None
        return actions  # type: ignore[return-value]  # not a sequence, so an action

    def redirect(self, fields: Mapping[str, str]) -> str:
        """Where a person who consents is sent (RFC 6749 section 4.1.2)."""
        if fields.get("response_type") != "code" or fields.get("code_challenge_method") != "S256":
            return f"{fields['redirect_uri']}?{urlencode({'error': 'invalid_request', 'state': fields['state']})}"
        scope = fields.get("scope", "") if self._scope is None else self._scope
        code = self.grants.new_code(
            self.user, scope, redirect_uri=fields["redirect_uri"], challenge=fields["code_challenge"]
        )
        return f"{fields['redirect_uri']}?{urlencode({'code': code, 'state': fields['state']})}"

    def token_answer(self, request: Received) -> dict[str, Any]:
        """The answer of a good token endpoint.

        Raises:
            Refused: or its error.
        """
        form = request.fields
        match form.get("grant_type", ""):
            case "authorization_code":
                self._know_client(request)
                family = self.grants.redeem(
                    form["code"], redirect_uri=form["redirect_uri"], verifier=form["code_verifier"]
                )
                return self._answer(family, refreshes=True, signs_in=True)
            case "refresh_token":
                self._know_client(request)
                family = self.grants.renew(form["refresh_token"], rotate=self._rotates)
                return self._answer(family, refreshes=self._rotates)
            case "client_credentials":
                self._know_client(request)
                return self._answer(Family(CLIENT_ID, form.get("scope", "")))
            case grant if grant.endswith("jwt-bearer"):
                claims = service_account_claims(form["assertion"], self._url_of(request))
                return self._answer(Family(claims["sub"], claims["scope"]))
            case _:
                raise Refused("unsupported_grant_type")

    def userinfo(self, authorization: str) -> dict[str, Any]:
        """What userinfo says of the token's user; nothing of a bad token."""
        user = self.grants.user_of(authorization.rpartition(" ")[2])
        return {} if user is None else {"sub": "1", "email": user, "default_email": user}

    def _know_client(self, request: Received) -> None:
        authorization = request.headers.get("authorization")
        kind, client_id = proof(request.fields, authorization)
        if client_id != CLIENT_ID:
            raise Refused("invalid_client", "unknown client", status=401)
        if kind == "assertion":
            check_assertion(request.fields, self._url_of(request))
        elif self._client_secret is not None:
            check_secret(request.fields, authorization, self._client_secret)

    def _url_of(self, request: Received) -> str:
        return f"{'https' if self._hosts else 'http'}://{request.host}{request.path}"

    def _answer(self, family: Family, *, refreshes: bool = False, signs_in: bool = False) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "access_token": self.grants.access_token(family),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": family.scope,
        }
        if refreshes:
            answer["refresh_token"] = family.refresh_token
        if signs_in and "openid" in family.scope.split():
            answer["id_token"] = id_token({"email": family.user, "preferred_username": family.user})
        return {**answer, **self._extra}


def id_token(claims: Mapping[str, object], *, audience: str = CLIENT_ID) -> str:
    """An id_token; nobody checks its signature."""
    parts = [{"alg": "RS256"}, {"aud": audience, "exp": 1, **claims}]
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


@cache
def _certificate(hosts: tuple[str, ...]) -> Certificate:
    return authority().issue("127.0.0.1", *hosts)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64
    provider: IdentityProvider

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients break off on purpose."""
