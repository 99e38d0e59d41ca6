"""The provider's web server, on loopback."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local.guard import is_local_host
from local.identity_provider.authorization import Denied, NoWayBack
from local.identity_provider.pages import STYLE, consent_page, home_page, stopped_page
from local.identity_provider.parameters import bearer_token, client_credentials, parse_parameters
from local.identity_provider.refusal import Refused
from local.identity_provider.registrations import MAIL_SCOPE, SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.identity_provider.provider import Provider

MAXIMUM_BODY_OCTETS = 65_536
IDLE_SECONDS = 30
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"


def web_server(provider: Provider, *, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens, and serves once `serve_forever` runs."""

    class Endpoints(_Endpoints):
        """The endpoints of this provider: the standard library makes a handler for each request by its class alone."""

    Endpoints.provider = provider
    server = ThreadingHTTPServer((host, port), Endpoints)
    server.daemon_threads = True  # a browser's idle connection must not keep the program
    return server


class _Endpoints(BaseHTTPRequestHandler):
    provider: Provider
    protocol_version = "HTTP/1.1"
    server_version = "DemoIdentityProvider"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        self._route(
            {
                "/": lambda: self._page(home_page()),
                "/style.css": lambda: self._answer(STYLE, kind="text/css; charset=utf-8"),
                "/.well-known/openid-configuration": lambda: self._json(self.provider.metadata()),
                "/jwks": lambda: self._json(self.provider.key.key_set()),
                "/authorize": self._ask,
                "/userinfo": self._userinfo,
            }
        )

    def do_POST(self) -> None:
        body = self._body()
        if body is not None:
            self._route({"/authorize": lambda: self._decide(body), "/token": lambda: self._token(body)})

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the terminal belongs to the command that started us."""

    def _route(self, routes: Mapping[str, Callable[[], None]]) -> None:
        answer = routes.get(urlsplit(self.path).path)
        if not is_local_host(self.headers.get("Host", "")):
            self._page(stopped_page("Only names of this machine."), status=HTTPStatus.FORBIDDEN)
        elif answer is None:
            self._page(stopped_page("There is no such page."), status=HTTPStatus.NOT_FOUND)
        else:
            answer()

    def _ask(self) -> None:
        try:
            asked = self.provider.authorization.ask(parse_parameters(urlsplit(self.path).query))
        except (Refused, NoWayBack) as error:
            self._page(stopped_page(str(error)), status=HTTPStatus.BAD_REQUEST)
            return
        if isinstance(asked, Denied):
            self._redirect(asked.location)
            return
        registrations = self.provider.registrations
        page = consent_page(asked, client_id=registrations.client.id, users=registrations.users)
        # Browsers check where a form's answer redirects to as well, so the client's origin is named here.
        target = urlsplit(asked.request.redirect_uri)
        self._page(page, policy=f"{POLICY} {target.scheme}://{target.netloc}")

    def _decide(self, body: str) -> None:
        try:
            location = self._decided(parse_parameters(body))
        except (Refused, NoWayBack) as error:
            self._page(stopped_page(str(error)), status=HTTPStatus.BAD_REQUEST)
        else:
            self._redirect(location)

    def _decided(self, form: Mapping[str, str]) -> str:
        authorization, consent_id = self.provider.authorization, form.get("consent", "")
        user = self.provider.registrations.user(form.get("username", ""))
        if form.get("decision") != "allow" or user is None:
            return authorization.deny(consent_id)
        unticked = set() if form.get("scope") == MAIL_SCOPE else {MAIL_SCOPE}
        return authorization.allow(consent_id, user=user, scopes=set(SCOPES) - unticked)

    def _token(self, body: str) -> None:
        try:
            form = parse_parameters(body)
            client = client_credentials(self.headers.get("Authorization"), form)
            self._json(self.provider.token_endpoint.answer(form, client=client))
        except Refused as refused:
            unknown_client = refused.error == "invalid_client"
            status = HTTPStatus.UNAUTHORIZED if unknown_client else HTTPStatus.BAD_REQUEST
            challenge = {"WWW-Authenticate": 'Basic realm="token"'} if unknown_client else {}
            answer = {"error": refused.error, "error_description": refused.description}
            self._json(answer, status=status, headers=challenge)

    def _userinfo(self) -> None:
        token = bearer_token(self.headers.get("Authorization"))
        found = self.provider.tokens.userinfo(token) if token else None
        if found:
            self._json(found)
        else:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            self._json({"error": "invalid_token"}, status=HTTPStatus.UNAUTHORIZED, headers=challenge)

    def _body(self) -> str | None:
        """The request's body; None when it cannot be taken, which is answered already."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAXIMUM_BODY_OCTETS:
            self.close_connection = True
            self._json({"error": "invalid_request"}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        return self.rfile.read(int(length)).decode("utf-8", "replace")

    def _redirect(self, location: str) -> None:
        self._answer("", status=HTTPStatus.SEE_OTHER, headers={"Location": location})

    def _json(
        self, value: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
    ) -> None:
        self._answer(json.dumps(value), status=status, kind="application/json", headers=headers)

    def _page(self, text: str, *, status: HTTPStatus = HTTPStatus.OK, policy: str = POLICY) -> None:
        self._answer(text, status=status, headers={"Content-Security-Policy": policy})

    def _answer(
        self,
        text: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        kind: str = "text/html; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        content = text.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
