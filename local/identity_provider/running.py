"""The identity provider, running: what it knows for the demo, and how to reach it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.identity_provider.provider import make_provider
from local.identity_provider.registrations import MAIL_SCOPE, Client, Registrations, ServiceAccount, User
from local.identity_provider.web import web_server
from local.inbox.running import USERNAME
from local.ports import HOST, usable_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local.identity_provider.provider import Provider

PREFERRED_PORT = 8026
CLIENT_ID = "tocsin-demo"
CLIENT_SECRET = "demo-client-secret"
SERVICE_ACCOUNT = "robot@accounts.example"
USERS = (
    User(subject="user-1", username=USERNAME, name="Acme Operations"),
    User(subject="user-2", username="other@inbox.example", name="Somebody Else"),
)
ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
ADMIN_TOKEN_LIFETIME = timedelta(days=7)
API_AUDIENCE = "tocsin-local"
PROJECTS_CLAIM = "tocsin_projects"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """Where the provider is, and what its clients need. `service_account_key` is a key file as Google's are."""

    port: int
    provider: Provider
    service_account_key: str = field(repr=False)

    @property
    def issuer(self) -> str:
        """The address of the provider, and its name in every token."""
        return self.provider.issuer

    @property
    def address(self) -> str:
        """`host:port`, as `AllowedPrivateHosts` wants it."""
        return f"{HOST}:{self.port}"

    @property
    def scopes(self) -> tuple[str, ...]:
        """What to ask for, so that mail can be sent, and go on being sent."""
        return ("openid", "email", "offline_access", MAIL_SCOPE)

    @property
    def rotations(self) -> int:
        """How many refresh tokens were used up so far."""
        return self.provider.tokens.grants.rotations

    def admin_token(self, projects: Iterable[str] = ("*:admin",)) -> str:
        """An access token for the stack's HTTP API (DESIGN 4.2)."""
        claims = {"sub": "admin", "client_id": API_AUDIENCE, "scope": "", PROJECTS_CLAIM: list(projects)}
        return self.provider.tokens.other_token(audience=API_AUDIENCE, lifetime=ADMIN_TOKEN_LIFETIME, **claims)

    def lets_send(self, access_token: str) -> bool:
        """Whether the inbox takes this token for its one user."""
        return self.provider.tokens.lets_send_as(access_token, USERNAME)


@contextmanager
def running_identity_provider(
    redirect_uris: Iterable[str],
    *,
    port: int | None = None,
    access_token_lifetime: timedelta = ACCESS_TOKEN_LIFETIME,
    clock: Callable[[], float] = time.time,
) -> Iterator[IdentityProvider]:
    """Serve until the block ends. People are sent back to one of `redirect_uris` only."""
    port = port or usable_port()
    service_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    provider = make_provider(
        f"http://{HOST}:{port}",
        Registrations(
            client=Client(id=CLIENT_ID, secret=CLIENT_SECRET, redirect_uris=frozenset(redirect_uris)),
            users=USERS,
            service_account=ServiceAccount(email=SERVICE_ACCOUNT, public_key=service_key.public_key()),
        ),
        access_token_lifetime=access_token_lifetime,
        clock=clock,
    )
    key_file = _key_file(service_key, provider.token_url)
    with _serving(provider, port):
        yield IdentityProvider(port=port, provider=provider, service_account_key=key_file)


@contextmanager
def _serving(provider: Provider, port: int) -> Iterator[None]:
    with web_server(provider, host=HOST, port=port) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="identity-provider", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _key_file(key: rsa.RSAPrivateKey, token_url: str) -> str:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    fields = {"private_key": pem.decode("ascii"), "client_email": SERVICE_ACCOUNT, "token_uri": token_url}
    return json.dumps({"type": "service_account", "project_id": "demo", "private_key_id": "1", **fields})
